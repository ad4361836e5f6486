import type { LRUCache } from 'lru-cache'

type LruCacheModule = typeof import('lru-cache')

/** Thousands of processes with caches of 50,000 places each would do little but set them aside. */
export function withSmallCaches({ LRUCache: Cache }: LruCacheModule): Partial<LruCacheModule> {
  class SmallCache extends Cache<object, object> {
    constructor(options: LRUCache.Options<object, object, unknown>) {
      super({ ...options, max: 64 })
    }
  }
  return { LRUCache: SmallCache as unknown as LruCacheModule['LRUCache'] }
}
