import { HoldfastError, type Holdfast, type RedisSource } from '@holdfast/core'

/** What stands behind the stores that somebody gave for another cache manager. */
export interface BehindStores {
  readonly source: { readonly holdfast: Holdfast } | { readonly redis: RedisSource | 'memory' }
  readonly namespace: string | undefined
  readonly ttl: number | undefined
  /** Ends what was given, as the module did that it was given for. */
  disconnect(): Promise<void>
}

/** A Keyv, a storage adapter of Keyv, or a Cacheable, as far as is looked at. */
interface StoreLike {
  /** Cacheable's. */
  readonly primary?: unknown
  readonly secondary?: unknown
  /** Keyv's. */
  readonly store?: unknown
  readonly ttl?: number
  readonly namespace?: string
  /** `@holdfast/keyv`'s. */
  readonly holdfast?: Holdfast
  /** `@keyv/redis` and `@keyv/valkey`. */
  readonly client?: RedisSource
  readonly redis?: RedisSource
  on?(event: 'error', listener: () => void): unknown
  disconnect?(): unknown
}

/** What Keyv takes where nothing is said. */
const usualNamespace = 'keyv'
const inMemory = new Set(['Map', 'CacheableMemory', 'KeyvCacheableMemory', 'KeyvMemoryAdapter'])

/**
 * Finds the Redis behind the option `stores`: that of a store on Redis, or the Holdfast of one of ours, or memory where all are
 * of memory. Throws an error that says what to give instead for a store of another kind.
 */
export function behindStores(given: unknown): BehindStores {
  const stores = [given].flat().filter(isStore)
  const bottoms = stores.flatMap(bottomsOf)
  const holdfast = bottoms.find((store) => store.holdfast)?.holdfast
  const redis = bottoms.map(clientOf).find(Boolean)

  if (
    bottoms.length === 0 ||
    bottoms.some((store) => !store.holdfast && !clientOf(store) && !isMemory(store))
  )
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      'Option "stores" must hold a store on Redis or in memory. Give "redis" (a URL, a client or "memory") or "holdfast" instead.',
    )
  // They are not used themselves, and one that has no listener for its error would end the process.
  for (const store of [...stores, ...bottoms]) store.on?.('error', () => undefined)
  return {
    source: holdfast ? { holdfast } : { redis: redis ?? 'memory' },
    namespace: [...stores, ...bottoms]
      .map((store) => store.namespace)
      .find((name) => name && name !== usualNamespace),
    ttl: stores.map((store) => store.ttl).find((ttl) => typeof ttl === 'number'),
    async disconnect() {
      await Promise.allSettled(stores.map(async (store) => store.disconnect?.()))
    },
  }
}

/** What is beneath a Keyv or a Cacheable. */
function bottomsOf(store: StoreLike): StoreLike[] {
  if (isStore(store.primary)) return [store.primary, store.secondary].filter(isStore).flatMap(bottomsOf)
  return isStore(store.store) && !isMemory(store) ? bottomsOf(store.store) : [store]
}

function clientOf(store: StoreLike): RedisSource | undefined {
  return store.client ?? store.redis
}

function isMemory(store: StoreLike): boolean {
  return inMemory.has(store.constructor.name)
}

function isStore(store: unknown): store is StoreLike {
  return typeof store === 'object' && store !== null
}
