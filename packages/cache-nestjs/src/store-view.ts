import type { CacheEntry } from '@holdfast/core'
import { EventEmitter } from 'node:events'
import type { DropInEngine } from './drop-in-engine.ts'
import { expiryOf, lifeOf, type Ttl } from './life.ts'

/** A value as Keyv calls it raw: with its end, in ms since the epoch. */
export interface Raw<T = unknown> {
  value: T
  expires: number | undefined
}

/** The cache, with the methods that applications use of a Keyv in `cacheManager.stores`. */
export interface StoreView {
  get<T = unknown>(key: string, options: { raw: true }): Promise<Raw<T> | undefined>
  get<T = unknown>(key: string, options?: { raw?: false }): Promise<T | undefined>
  getMany<T = unknown>(keys: string[]): Promise<(T | undefined)[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  /** Keeps a value; `ttl` in ms, 0: no expiry. */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(entries: readonly { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>
  /** Removes an entry, or several; tells whether there was one. */
  delete(key: string | string[]): Promise<boolean>
  deleteMany(keys: string[]): Promise<boolean>
  clear(): Promise<void>
  /** Gives keys and values. Without the option `indexed` this looks at all keys of Redis. */
  iterator(): AsyncGenerator<[key: string, value: unknown], void>
  disconnect(): Promise<void>
  /** For those who listen for `error`, as a Keyv needs it: there is none, as being away is no error. */
  on(event: string, listener: Listener): this
  once(event: string, listener: Listener): void
  off(event: string, listener: Listener): void
  emit(event: string, ...data: any[]): void
}

type Listener = (...data: any[]) => void

export interface StoreViewParts {
  readonly engine: DropInEngine
  readonly ttl: Ttl
  readonly disconnect: () => Promise<void>
}

export function createStoreView({ engine, ttl: usualTtl, disconnect }: StoreViewParts): StoreView {
  const events = new EventEmitter()

  async function get<T>(key: string, options?: { raw?: boolean }): Promise<T | Raw<T> | undefined> {
    if (!options?.raw) return engine.get<T>(key)
    const entry = await engine.inspect<T>(key)
    return entry?.isFresh ? rawOf(entry) : undefined
  }

  async function set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await engine.set(key, value, lifeOf(ttl ?? usualTtl))
    return true
  }

  async function remove(keys: string | string[]): Promise<boolean> {
    return (await engine.deleteMany([keys].flat())).some(Boolean)
  }

  return {
    get: get as StoreView['get'],
    getMany: (keys) => engine.getMany(keys),
    has: (key) => engine.has(key),
    hasMany: (keys) => Promise.all(keys.map(engine.has)),
    set,
    setMany: (entries) => Promise.all(entries.map(({ key, value, ttl }) => set(key, value, ttl))),
    delete: remove,
    deleteMany: remove,
    async clear() {
      await engine.clear()
    },
    async *iterator() {
      for await (const keys of engine.keys()) {
        const values = await engine.getMany(keys)
        for (const [i, value] of values.entries()) if (value !== undefined) yield [keys[i]!, value]
      }
    },
    disconnect,
    on(event, listener) {
      events.on(event, listener)
      return this
    },
    once: (event, listener) => void events.once(event, listener),
    off: (event, listener) => void events.off(event, listener),
    emit(event, ...data) {
      // An `error` that nobody listens for would be thrown.
      if (events.listenerCount(event) > 0) events.emit(event, ...data)
    },
  }
}

/** An entry as Keyv calls it raw. */
export function rawOf<T>(entry: CacheEntry<T>): Raw<T> {
  return { value: entry.value, expires: expiryOf(entry) }
}
