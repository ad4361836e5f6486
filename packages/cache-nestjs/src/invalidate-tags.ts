import { HoldfastError, type Cache as CacheEngine } from '@holdfast/core'
import { Logger } from '@nestjs/common'
import { cacheOf, injectInto } from './injected-cache.ts'
import { around, type AsyncMethodDecorator } from './method-decorator.ts'

/** Gives tags for what a method gave and its arguments; nothing, where none is to be void. */
type TagsOf = (value: any, ...args: any[]) => string | readonly string[] | null | undefined

/**
 * Voids what was cached under these tags, once the method has succeeded. Tags, or a function that gives them for what the method
 * gave and its arguments. While Redis is away they are void in this process at once, in all others on recovery.
 *
 * Where the function throws, or gives what cannot be a tag, the caller gets what the method gave, as its work is done: Nest's
 * logger tells of it as an error, without values, and the tags beside it are void. Under the rule `refuse` the call rejects while
 * Redis is away, and the work is done as well.
 */
export function InvalidateTags(...tags: readonly string[] | readonly [TagsOf]): AsyncMethodDecorator {
  return (target, name, descriptor) => {
    injectInto(target)
    around(descriptor, async function (original, args) {
      const value: unknown = await original()
      const cache = cacheOf(this)
      if (!cache) return value
      const [first] = tags
      const method = `${this.constructor.name}.${String(name)}`
      let named: unknown
      try {
        named = typeof first === 'function' ? first(value, ...args) : tags
      } catch {
        logStale(method, 'its function of tags threw')
        return value
      }
      const areTags = await invalidate(cache, [named ?? []].flat())
      if (!areTags) logStale(method, 'not all that were given can be tags')
      return value
    })
  }
}

/** Voids those that can be tags; tells whether all can. */
async function invalidate(cache: CacheEngine, tags: readonly unknown[]): Promise<boolean> {
  const told = await Promise.allSettled(tags.map((tag) => cache.deleteByTag([tag as string])))
  const errors = told.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  const failure = errors.find((error) => !isNoTag(error))
  if (failure !== undefined) throw failure
  return errors.length === 0
}

function isNoTag(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_OPTION'
}

function logStale(method: string, reason: string): void {
  Logger.error(
    `${method} has succeeded, but what it makes stale may still be served: ${reason}`,
    'InvalidateTags',
  )
}
