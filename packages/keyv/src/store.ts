import { holdfastOf, type HeldHoldfast, type Holdfast } from '@holdfast/core'
import { EventEmitter } from 'node:events'
import { capabilities, type KeyvCapabilities } from './capabilities.ts'
import { ttlOf } from './expiry.ts'
import { namespaceOf, type Namespace, type NamespaceOptions } from './namespaces.ts'
import { readOptions, type KeyvHoldfastOptions, type KeyvRedis } from './options.ts'
import { packed, unpacked } from './value.ts'

export type { KeyvHoldfastOptions, KeyvRedis }

/** An entry as Keyv 5 (`ttl`) and Keyv 6 (`expires`) state it. */
interface KeyvStoreEntry {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
  readonly expires?: number | undefined
}

/**
 * A storage adapter for Keyv 5 and 6. No call fails or waits because Redis is away, and none emits `error` for it: then `get` gives
 * `undefined` and `set` gives `false`, and what was set, deleted or cleared meanwhile is settled before Redis answers again.
 *
 * The constructor throws `ERR_HOLDFAST_OPTION` for every option that cannot be right, and for one that there is not.
 */
export class KeyvHoldfast extends EventEmitter {
  /** State, events and health. */
  readonly holdfast: Holdfast
  /** Where Keyv 5 finds out whether it may iterate. */
  readonly opts: { readonly dialect: 'redis'; [option: string]: unknown } = { dialect: 'redis' }
  readonly #held: HeldHoldfast
  readonly #entries: NamespaceOptions
  #namespace: string | undefined
  #space: Namespace
  #speaksKeyv6 = false

  constructor(options?: KeyvHoldfastOptions)
  constructor(redis: KeyvRedis, options?: KeyvHoldfastOptions)
  constructor(first?: KeyvRedis | KeyvHoldfastOptions, second?: KeyvHoldfastOptions) {
    super()
    const { holdfast, namespace, ...options } = readOptions(first, second)
    const { near, rule, compression, encryption, limits } = options
    this.#entries = { near, rule, compression, encryption, limits }
    this.#held = holdfastOf(holdfast, options)
    this.holdfast = this.#held.holdfast
    this.#namespace = namespace
    try {
      // Already here, also where Keyv is to set another: so what is wrong with the options is said at once.
      this.#space = namespaceOf(this.holdfast, namespace, this.#entries)
    } catch (error) {
      void this.#held.close()
      throw error
    }
  }

  /**
   * What keeps the keys apart. Keyv sets it, which throws `ERR_HOLDFAST_OPTION` for what is no text and where the Holdfast has 1,000
   * already, and `ERR_HOLDFAST_CLOSED` for a new one once the Holdfast is closed.
   */
  get namespace(): string | undefined {
    return this.#namespace
  }

  set namespace(namespace: string | undefined) {
    this.#space = namespaceOf(this.holdfast, namespace, this.#entries)
    this.#namespace = namespace
  }

  /** What Keyv 6 asks an adapter before it uses it, and Keyv 5 does not know: so the two are told apart. */
  get capabilities(): KeyvCapabilities {
    this.#speaksKeyv6 = true
    return capabilities
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    const { cache, toCache } = this.#space
    return unpacked(await cache.get(toCache(key))) as Value | undefined
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    const { cache, toCache } = this.#space
    const stored = await cache.getMany(keys.map(toCache))
    return stored.map(unpacked) as (Value | undefined)[]
  }

  async has(key: string): Promise<boolean> {
    const { cache, toCache } = this.#space
    return cache.has(toCache(key))
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    const { cache, toCache } = this.#space
    const stored = await cache.getMany(keys.map(toCache))
    return stored.map((value) => value !== undefined)
  }

  /**
   * Stores a value: for `expiry` ms (Keyv 5), or until then (Keyv 6). Tells whether it is kept: by Redis or, under the rule
   * `memory` and while Redis is away, by this process.
   */
  async set(key: string, value: unknown, expiry?: number): Promise<boolean> {
    const { cache, toCache } = this.#space
    const ttl = ttlOf(expiry)
    if (ttl <= 0) {
      await cache.delete(toCache(key))
      return true
    }
    const isInRedis = await cache.set(toCache(key), packed(value), ttl === Infinity ? undefined : { ttl })
    return isInRedis || this.#entries.rule === 'memory'
  }

  async setMany(entries: readonly KeyvStoreEntry[]): Promise<Told<boolean[], void>> {
    const told = entries.map(({ key, value, ttl, expires }) => this.set(key, value, expires ?? ttl))
    return (await Promise.all(told)) as Told<boolean[], void>
  }

  /** Removes an entry; tells whether Redis says that there was one, so `false` while it is away, under each rule. */
  async delete(key: string): Promise<boolean> {
    const { cache, toCache } = this.#space
    return cache.delete(toCache(key))
  }

  /** Tells Keyv 6 of each key whether it was there, and Keyv 5 whether all were. */
  async deleteMany(keys: string[]): Promise<Told<boolean[], boolean>> {
    const { cache, toCache } = this.#space
    const told = await cache.deleteMany(keys.map(toCache))
    return (this.#speaksKeyv6 ? told : told.every(Boolean)) as Told<boolean[], boolean>
  }

  /**
   * Removes all entries of the namespace, and of no other. One write makes them count no more, however many there are; then
   * they are removed one by one, as entries that do not expire would take up memory for ever. That is waited for, as it would
   * remove also what is set meanwhile. While Redis is away they are void on recovery, and removed by the next call.
   */
  async clear(): Promise<void> {
    const { cache } = this.#space
    if (!(await cache.clear())) return
    for await (const keys of cache.keys()) await cache.deleteMany(keys)
  }

  /** Gives the entries of the namespace; keys of 512 bytes or more are left out. While Redis is away: none. */
  async *iterator<Value>(): AsyncGenerator<[key: string, value: Value], void> {
    const { cache, fromCache } = this.#space
    for await (const keys of cache.keys()) {
      const stored = await cache.getMany(keys)
      for (const [i, key] of keys.entries()) {
        const value = unpacked(stored[i])
        if (value !== undefined) yield [fromCache(key), value as Value]
      }
    }
  }

  // These two are as Keyv 6 declares them.
  override listeners(event: string | symbol): Listener[] {
    return super.listeners(event) as Listener[]
  }

  override rawListeners(event: string | symbol): Listener[] {
    return super.rawListeners(event) as Listener[]
  }

  /** Lets go of Redis, so that the process can exit. A Holdfast that was handed in stays open. */
  async disconnect(): Promise<void> {
    await this.#held.close()
  }
}

type Listener = (...args: unknown[]) => void

/** What Keyv 6 and Keyv 5 declare as the answer, which is one or the other. */
type Told<Keyv6, Keyv5> = Keyv6 & Keyv5
