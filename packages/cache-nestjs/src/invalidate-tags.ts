import { cacheOf, injectInto } from './injected-cache.ts'
import { around, type AsyncMethodDecorator } from './method-decorator.ts'

/**
 * Voids what was cached under these tags, once the method has succeeded. Tags, or a function that gives them for what the method
 * gave and its arguments. While Redis is away they are void in this process at once, in all others on recovery.
 */
export function InvalidateTags(
  ...tags: readonly string[] | readonly [(value: any, ...args: any[]) => string | readonly string[]]
): AsyncMethodDecorator {
  return (target, _name, descriptor) => {
    injectInto(target)
    around(descriptor, async function (original, args) {
      const value: unknown = await original()
      const [first] = tags
      const named = typeof first === 'function' ? first(value, ...args) : tags
      await cacheOf(this)?.deleteByTag(named as string | readonly string[])
      return value
    })
  }
}
