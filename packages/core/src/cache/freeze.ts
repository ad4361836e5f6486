import { isBinary } from '../envelope/payload.ts'

/** Freezes a value as it came out of JSON, at any depth. Walks without recursion: JSON may be nested deeper than the stack. */
export function frozen<T>(value: T): T {
  // Only what can be frozen is set aside: most of what is in JSON cannot, and to set it aside took most of the time.
  const pending: object[] = isFreezable(value) ? [value] : []
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    Object.freeze(next)
    if (Array.isArray(next)) {
      for (const child of next) if (isFreezable(child)) pending.push(child)
    } else {
      for (const key in next) {
        const child: unknown = next[key as keyof typeof next]
        if (isFreezable(child)) pending.push(child)
      }
    }
  }
  return value
}

function isFreezable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isBinary(value)
}

/** What to hand out of a frozen value that is kept: itself, but for bytes, which cannot be frozen. */
export function handedOut(value: unknown): unknown {
  if (!isBinary(value)) return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof DataView) return new DataView(value.buffer.slice(0))
  return (value as Uint8Array | ArrayBuffer).slice(0)
}
