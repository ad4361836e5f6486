import { LRUCache } from 'lru-cache'

/**
 * Keeps the entries that were used last, as many as this. Bounded by size, so that it grows with what it holds: lru-cache
 * makes room for `max` entries at once, which takes 10 ms of the process for 50,000.
 */
export function createLru<V extends {}>(entries: number): LRUCache<string, V> {
  return new LRUCache<string, V>({ maxSize: entries, sizeCalculation: () => 1 })
}
