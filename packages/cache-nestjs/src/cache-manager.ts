import { HoldfastError, type Cache as CacheEngine, type CachePolicy } from '@holdfast/core'
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { dropInEngine } from './drop-in-engine.ts'
import { expiryAfter, lifeOf, lifetime, type Ttl } from './life.ts'
import { createStoreView, rawOf, type Raw, type StoreView } from './store-view.ts'

/** An entry as `mset` takes it; `ttl` in ms. */
export interface CacheItem<T = unknown> {
  key: string
  value: T
  ttl?: number
}

/** How `wrap` keeps what the function gives. */
export interface WrapOptions<T> {
  /** In ms, or a function of the value; 0: no expiry. */
  ttl?: number | ((value: T) => number) | undefined
  /** Where less than this remains of the ttl, in ms, the value is made anew in the background. */
  refreshThreshold?: number | ((value: T) => number) | undefined
}

/** What is told of what was asked for. There is an `error` for a value that cannot be stored, not for a Redis that is away. */
export interface CacheEvents {
  get: (data: { key: string; value?: any; store?: string; error?: unknown }) => void
  mget: (data: { keys: string[]; values?: any[]; error?: unknown }) => void
  ttl: (data: { key: string; value?: any; error?: unknown }) => void
  set: (data: { key: string; value: any; store?: string; error?: unknown }) => void
  mset: (data: { list: CacheItem<any>[]; error?: unknown }) => void
  del: (data: { key: string; error?: unknown }) => void
  mdel: (data: { keys: string[]; error?: unknown }) => void
  clear: (error?: unknown) => void
  refresh: (data: { key: string; value?: any; error?: unknown }) => void
}

/**
 * What cache-manager 7 offers, with the same results. While Redis is away, under the rule `bypass`, `get` finds nothing, `wrap`
 * runs the function, and what writes or removes resolves: it is settled on recovery.
 */
export interface CacheManager {
  get<T>(key: string): Promise<T | undefined>
  mget<T>(keys: string[]): Promise<(T | undefined)[]>
  /** When the entry expires, in ms since the epoch; `undefined` for one that does not, and for none. */
  ttl(key: string): Promise<number | undefined>
  /** Keeps a value; `ttl` in ms, 0: no expiry. */
  set<T>(key: string, value: T, ttl?: number): Promise<T>
  mset<T>(list: CacheItem<T>[]): Promise<CacheItem<T>[]>
  del(key: string): Promise<boolean>
  mdel(keys: string[]): Promise<boolean>
  /** Voids all entries of this cache, and only those. */
  clear(): Promise<boolean>
  /** Gives the value, or what the function makes: one runs per key at a time, in this process and in the fleet. */
  wrap<T>(
    key: string,
    fnc: () => T | Promise<T>,
    ttl?: number | ((value: T) => number),
    refreshThreshold?: number | ((value: T) => number),
  ): Promise<T>
  wrap<T>(key: string, fnc: () => T | Promise<T>, options: WrapOptions<T> & { raw: true }): Promise<Raw<T>>
  wrap<T>(key: string, fnc: () => T | Promise<T>, options: WrapOptions<T>): Promise<T>
  on<E extends keyof CacheEvents>(event: E, listener: CacheEvents[E]): EventEmitter
  off<E extends keyof CacheEvents>(event: E, listener: CacheEvents[E]): EventEmitter
  /** Lets go of Redis, unless the Holdfast is another's. */
  disconnect(): Promise<undefined>
  cacheId(): string
  /** One, which is this cache. */
  stores: StoreView[]
}

export interface CacheManagerParts {
  readonly engine: CacheEngine
  /** The ttl of what is given none. */
  readonly ttl: Ttl
  readonly refreshThreshold: number | undefined
  readonly cacheId: string | undefined
  readonly disconnect: () => Promise<void>
}

/** How long one process keeps the others from refreshing the same entry, at most and at least. */
const longestRefresh = 5_000
const shortestRefresh = 10

export function createCacheManager(parts: CacheManagerParts): CacheManager {
  const { ttl: usualTtl, refreshThreshold: usualThreshold, cacheId = randomUUID(), disconnect } = parts
  const engine = dropInEngine(parts.engine)
  const events = new EventEmitter()
  const store = createStoreView({ engine, ttl: usualTtl, disconnect })

  /** Does it, and tells how it went. */
  async function told<T>(event: keyof CacheEvents, data: object | undefined, done: Promise<T>): Promise<T> {
    try {
      const result = await done
      events.emit(event, data)
      return result
    } catch (error) {
      events.emit(event, data ? { ...data, error } : error)
      throw error
    }
  }

  function tellSet(key: string, value: unknown): void {
    events.emit('set', { key, value, store: 'primary' })
    events.emit('set', { key, value })
  }

  async function wrap<T>(
    key: string,
    fnc: () => T | Promise<T>,
    second?: WrapOptions<T>['ttl'] | (WrapOptions<T> & { raw?: boolean }),
    third?: WrapOptions<T>['refreshThreshold'],
  ): Promise<T | Raw<T>> {
    const options: WrapOptions<T> & { raw?: boolean } =
      typeof second === 'object' && second !== null ? second : { ttl: second, refreshThreshold: third }
    const { ttl, refreshThreshold = usualThreshold, raw = false } = options
    const ttlOf = (value: T): Ttl => (typeof ttl === 'function' ? ttl(value) : ttl) ?? usualTtl
    const policy: CachePolicy<T> =
      typeof ttl === 'function' ? { ttl: (value) => lifetime(ttlOf(value)) } : lifeOf(ttl ?? usualTtl)

    if (raw || refreshThreshold !== undefined) {
      const entry = await engine.inspect<T>(key)
      if (entry?.isFresh) {
        const threshold =
          typeof refreshThreshold === 'function' ? refreshThreshold(entry.value) : refreshThreshold
        const remaining = entry.freshUntil - Date.now()
        if (remaining < (threshold ?? 0))
          refresh(key, fnc, entry.value, { ...policy, lease: leaseOf(remaining) })
        return raw ? rawOf(entry) : entry.value
      }
    }

    let made: { readonly value: T } | undefined
    async function make(): Promise<T> {
      made = { value: await fnc() }
      return made.value
    }
    const value = await engine.getOrSet<T>(key, make, policy).catch((error: unknown) => {
      if (made && isUnstorable(error)) events.emit('set', { key, value: made.value, error })
      throw error
    })
    if (made) tellSet(key, value)
    return raw ? { value, expires: expiryAfter(ttlOf(value)) } : value
  }

  /** Makes a value anew in the background: of all that ask for it, here and in the fleet, one does. */
  function refresh<T>(key: string, fnc: () => T | Promise<T>, old: T, policy: CachePolicy<T>): void {
    async function make(): Promise<T> {
      try {
        const value = await fnc()
        tellSet(key, value)
        events.emit('refresh', { key, value })
        return value
      } catch (error) {
        events.emit('refresh', { key, value: old, error })
        throw error
      }
    }
    engine.getOrSet(key, make, { ...policy, eager: 0 }).catch(() => undefined)
  }

  return {
    async get<T>(key: string) {
      const value = await engine.get<T>(key)
      if (value !== undefined) events.emit('get', { key, value, store: 'primary' })
      return value
    },
    async mget<T>(keys: string[]) {
      const values = await engine.getMany<T>(keys)
      events.emit('mget', { keys, values })
      return values
    },
    async ttl(key) {
      const value = await store.get(key, { raw: true })
      if (value) events.emit('ttl', { key, value })
      return value?.expires
    },
    async set(key, value, ttl) {
      try {
        await engine.set(key, value, lifeOf(ttl ?? usualTtl))
      } catch (error) {
        events.emit('set', { key, value, error })
        throw error
      }
      tellSet(key, value)
      return value
    },
    async mset(entries) {
      const list = entries.map(({ key, value, ttl }) => ({ key, value, ttl: ttl ?? usualTtl }))
      const items = list.map(({ key, value, ttl }) => ({ key, value, policy: lifeOf(ttl) }))
      await told('mset', { list }, engine.setMany(items))
      return list as typeof entries
    },
    async del(key) {
      await told('del', { key }, engine.delete(key))
      return true
    },
    async mdel(keys) {
      await told('mdel', { keys }, engine.deleteMany(keys))
      return true
    },
    async clear() {
      await told('clear', undefined, engine.clear())
      return true
    },
    wrap: wrap as CacheManager['wrap'],
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    async disconnect() {
      await disconnect()
      return undefined
    },
    cacheId: () => cacheId,
    stores: [store],
  }
}

function isUnstorable(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_NOT_SERIALISABLE'
}

/** Who refreshes may take as long as the entry lasts. */
function leaseOf(remaining: number): number {
  return Math.min(Math.max(Math.ceil(remaining), shortestRefresh), longestRefresh)
}
