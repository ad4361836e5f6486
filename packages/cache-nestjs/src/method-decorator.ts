/** A method that gives a promise. */
export type AsyncMethod = (...args: any[]) => Promise<any>

/** A decorator for methods that give a promise. */
export type AsyncMethodDecorator = <M extends AsyncMethod>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void

/** Where Nest keeps what decorators say; there once Nest is. */
interface Metadata {
  getOwnMetadataKeys(target: object): unknown[]
  getOwnMetadata(key: unknown, target: object): unknown
  defineMetadata(key: unknown, value: unknown, target: object): void
}

/** Puts another method around one. What decorators beneath said of it, such as a route, goes for the new one. */
export function around<M extends AsyncMethod>(
  descriptor: TypedPropertyDescriptor<M>,
  method: (this: object, original: () => Promise<any>, args: Parameters<M>) => Promise<any>,
): void {
  const original = descriptor.value!
  const metadata = Reflect as unknown as Metadata
  function replacement(this: object, ...args: Parameters<M>): Promise<any> {
    return method.call(this, () => original.apply(this, args), args)
  }
  for (const property of ['name', 'length'] as const)
    Object.defineProperty(replacement, property, { value: original[property], configurable: true })
  for (const key of metadata.getOwnMetadataKeys(original))
    metadata.defineMetadata(key, metadata.getOwnMetadata(key, original), replacement)
  descriptor.value = replacement as M
}
