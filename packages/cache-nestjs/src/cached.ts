import { argumentsKey, HoldfastError, type CachePolicy } from '@holdfast/core'
import { cacheOf, injectInto } from './injected-cache.ts'
import { around, type AsyncMethodDecorator } from './method-decorator.ts'

/** How what a method gives is cached. */
export interface CachedOptions<Args extends readonly any[] = any[], T = any> extends Omit<
  CachePolicy<T>,
  'tags'
> {
  /**
   * Gives the key for the arguments; or text that is put before core's `argumentsKey` of them. Default: `<class>.<method>`, with
   * the class of the instance; `<class>:<base>.<method>` for a method that it inherits.
   */
  readonly key?: string | ((...args: Args) => string) | undefined
  /** What the entry can be invalidated by; also as a function of the value and the arguments. */
  readonly tags?: readonly string[] | ((value: T, ...args: Args) => readonly string[]) | undefined
}

/**
 * Answers calls of a method from the cache: one call runs per key at a time, in this process and in the fleet. For methods of
 * providers and controllers that give a promise; what they give has to have a JSON form. Without a function for the key, a call
 * rejects with `ERR_HOLDFAST_KEY` whose arguments cannot be told apart, such as a Map, and in a class that has no name.
 */
export function Cached<Args extends readonly any[] = any[], T = any>(
  options: CachedOptions<Args, T> = {},
): AsyncMethodDecorator {
  const { key, tags, ...policy } = options
  return (target, name, descriptor) => {
    injectInto(target)
    around(descriptor, async function (original, given) {
      const cache = cacheOf(this)
      if (!cache) return original()
      const args = given as unknown as Args
      const keyOfCall =
        typeof key === 'function'
          ? key(...args)
          : `${key ?? keyOfMethod(this, target, name)}:${argumentsKey(args)}`
      const tagsOf = typeof tags === 'function' ? (value: T) => tags(value, ...args) : tags
      return cache.getOrSet<T>(keyOfCall, original, { ...policy, tags: tagsOf })
    })
  }
}

/** The base is named as well, as a method that overrides another may call it: each has a key of its own. */
function keyOfMethod(instance: object, declaring: object, method: string | symbol): string {
  const own = instance.constructor.name
  const base = declaring.constructor.name
  if (own === '' || base === '')
    throw new HoldfastError('ERR_HOLDFAST_KEY', 'A class without a name makes no key: give @Cached a "key".')
  const isInherited = instance.constructor !== declaring.constructor
  return `${isInherited ? `${own}:${base}` : own}.${String(method)}`
}
