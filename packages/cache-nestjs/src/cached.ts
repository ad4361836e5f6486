import type { CachePolicy } from '@holdfast/core'
import { cacheOf, injectInto } from './injected-cache.ts'
import { around, type AsyncMethodDecorator } from './method-decorator.ts'

/** How what a method gives is cached. */
export interface CachedOptions<Args extends readonly any[] = any[], T = any> extends Omit<
  CachePolicy<T>,
  'tags'
> {
  /** Gives the key for the arguments; or text that is put before them in JSON. Default: `<class>.<method>`. */
  readonly key?: string | ((...args: Args) => string) | undefined
  /** What the entry can be invalidated by; also as a function of the value and the arguments. */
  readonly tags?: readonly string[] | ((value: T, ...args: Args) => readonly string[]) | undefined
}

/**
 * Answers calls of a method from the cache: one call runs per key at a time, in this process and in the fleet. For methods of
 * providers and controllers that give a promise; what they give has to have a JSON form.
 */
export function Cached<Args extends readonly any[] = any[], T = any>(
  options: CachedOptions<Args, T> = {},
): AsyncMethodDecorator {
  const { key: givenKey, tags, ...policy } = options
  return (target, name, descriptor) => {
    const key = givenKey ?? `${target.constructor.name}.${String(name)}`
    injectInto(target)
    around(descriptor, function (original, given) {
      const cache = cacheOf(this)
      if (!cache) return original()
      const args = given as unknown as Args
      const tagsOf = typeof tags === 'function' ? (value: T) => tags(value, ...args) : tags
      return cache.wrap<Args, T>(original, { ...policy, key, tags: tagsOf })(...args)
    })
  }
}
