import type { Factory } from './factory.ts'
import type { CachePolicy } from './policy.ts'
import type { CacheStatistics } from './statistics.ts'

/**
 * A cache that survives its Redis. While Redis is away no call fails or waits because of that: under the rule `bypass`
 * {@link Cache.getOrSet} runs the factory (once per key at a time, and so many at once), reads give nothing or a copy in its
 * grace, and what was removed or written meanwhile is settled before Redis answers again.
 *
 * Values are what JSON keeps, strings, Buffers, typed arrays; `undefined` stands for "there is none" and is told from `null`.
 * Methods reject with `ERR_HOLDFAST_KEY` for a key that is empty or too long, and under the rule `refuse` with
 * `ERR_HOLDFAST_UNAVAILABLE`.
 */
export interface Cache {
  /** Gives a fresh value, or `undefined`. While Redis is away: a copy in its grace, or `undefined`. */
  get<T = unknown>(key: string): Promise<T | undefined>
  /** Gives values in the order of the keys, in one round trip. */
  getMany<T = unknown>(keys: readonly string[]): Promise<(T | undefined)[]>
  /** Whether there is a fresh value. */
  has(key: string): Promise<boolean>
  /**
   * Gives the value, or makes it: one factory runs per key at a time, in this process and, while Redis is there, in the fleet.
   * Callers who wait for the same factory get the very object that it gave (frozen, where there is a near cache). Rejects with
   * what the factory throws, with `ERR_HOLDFAST_FACTORY_TIMEOUT` or `ERR_HOLDFAST_OVERLOADED`, unless there is a value in
   * its grace; and with `ERR_HOLDFAST_NOT_SERIALISABLE` for a value that could never be stored. That it could not be stored now
   * fails no call. `T` is told from the factory; give it by name, as in `getOrSet<User>(…)`, where that reads `stale`.
   */
  getOrSet<T, Stale = T>(key: string, factory: Factory<T, Stale>, policy?: CachePolicy<T>): Promise<T>
  /**
   * Stores a value; tells whether Redis has it. While Redis is away, under `bypass`, it is not kept: the entry is removed on
   * recovery. Rejects for a value that is too large or has no JSON.
   */
  set<T>(key: string, value: T, policy?: CachePolicy<T>): Promise<boolean>
  /** Stores values, in one round trip. */
  setMany<T>(entries: Iterable<CacheItem<T>>): Promise<boolean[]>
  /**
   * Makes an entry fresh for so long from now on; 0, the default: its ttl is over at once, and only its grace is left. Tells
   * whether there was one. While Redis is away, the entry is removed on recovery.
   */
  expire(key: string, ttl?: number | string): Promise<boolean>
  /** Removes an entry; tells whether Redis had one. While Redis is away it is removed on recovery. */
  delete(key: string): Promise<boolean>
  deleteMany(keys: readonly string[]): Promise<boolean[]>
  /** Voids all entries with one of these tags, with one write per tag; tells whether Redis has it already. */
  deleteByTag(tags: string | readonly string[]): Promise<boolean>
  /** Voids all entries of this cache, with one write; tells whether Redis has it already. */
  clear(): Promise<boolean>
  /** Gives a function that answers from the cache for what its arguments were given before. */
  wrap<Args extends readonly unknown[], T>(
    fn: (...args: Args) => T | Promise<T>,
    options: WrapOptions<Args, T>,
  ): (...args: Args) => Promise<T>
  /** What is known of an entry, fresh or in its grace. */
  inspect<T = unknown>(key: string): Promise<CacheEntry<T> | undefined>
  /**
   * Gives the keys; only of a cache that is `indexed` without looking at all of Redis. Hashed keys are not listed; those of entries
   * that were voided by `clear` or a tag are, until they are gone.
   */
  keys(): AsyncIterable<readonly string[]>
  statistics(): CacheStatistics
}

/** A value to be stored. */
export interface CacheItem<T = unknown> {
  readonly key: string
  readonly value: T
  readonly policy?: CachePolicy<T> | undefined
}

/** An entry and how it stands. */
export interface CacheEntry<T = unknown> {
  readonly value: T
  readonly isFresh: boolean
  /** When it was stored, in ms since the epoch. */
  readonly storedAt: number
  /** In ms since the epoch; `Infinity`: for ever. */
  readonly freshUntil: number
  readonly tags: readonly string[]
}

/** How a wrapped function is cached. */
export interface WrapOptions<Args extends readonly unknown[], T> extends CachePolicy<T> {
  /** Gives the key for the arguments; or text that is put before them in JSON. */
  readonly key: string | ((...args: Args) => string)
}
