import type * as lruCacheModule from 'lru-cache'

type LruCacheModule = typeof lruCacheModule

/** Thousands of processes with caches of 50,000 places each would do little but set them aside. */
export function withSmallCaches({ LRUCache: Cache }: LruCacheModule): Partial<LruCacheModule> {
  class SmallCache extends Cache<object, object> {
    constructor(options: lruCacheModule.LRUCache.Options<object, object, unknown>) {
      super({ ...options, max: 64 })
    }
  }
  return { LRUCache: SmallCache as unknown as LruCacheModule['LRUCache'] }
}
