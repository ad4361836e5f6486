import type { Cache as CacheEngine, CachePolicy } from '@holdfast/core'
import { isPacked, packed, unpacked } from './value.ts'

/** What a cache manager and its store use of the engine. */
export type DropInEngine = Pick<
  CacheEngine,
  | 'get'
  | 'getMany'
  | 'getOrSet'
  | 'set'
  | 'setMany'
  | 'has'
  | 'inspect'
  | 'delete'
  | 'deleteMany'
  | 'clear'
  | 'keys'
>

/**
 * Gives the engine for keys and values as cache-manager on Keyv takes them: a number is its text as a key, and Buffers within a
 * value stay such.
 */
export function dropInEngine(engine: CacheEngine): DropInEngine {
  /** What was made, as long as it is under way: who waits for it gets that, not a copy. */
  const made = new WeakMap<object, unknown>()

  async function getOrSet<T>(
    key: string,
    factory: () => T | Promise<T>,
    policy: CachePolicy<T> = {},
  ): Promise<T> {
    const { ttl } = policy
    const ttlOf = typeof ttl === 'function' ? (stored: unknown) => ttl(unpacked(stored) as T) : ttl
    async function make(): Promise<unknown> {
      const value = await factory()
      const stored = packed(value)
      if (isPacked(stored) && stored !== value) made.set(stored, value)
      return stored
    }
    const stored = await engine.getOrSet(keyOf(key), make, { ...(policy as CachePolicy), ttl: ttlOf })
    return (made.get(stored as object) ?? unpacked(stored)) as T
  }

  return {
    get: async <T>(key: string) => unpacked(await engine.get(keyOf(key))) as T | undefined,
    getMany: async <T>(keys: readonly string[]) =>
      (await engine.getMany(keys.map(keyOf))).map(unpacked) as (T | undefined)[],
    getOrSet: getOrSet as CacheEngine['getOrSet'],
    set: (key, value, policy) => engine.set(keyOf(key), packed(value), policy as CachePolicy),
    setMany: (items) =>
      engine.setMany(
        Array.from(items, ({ key, value, policy }) => ({
          key: keyOf(key),
          value: packed(value),
          policy: policy as CachePolicy,
        })),
      ),
    has: (key) => engine.has(keyOf(key)),
    inspect: (async (key) => {
      const entry = await engine.inspect(keyOf(key))
      return entry && { ...entry, value: unpacked(entry.value) }
    }) as CacheEngine['inspect'],
    delete: (key) => engine.delete(keyOf(key)),
    deleteMany: (keys) => engine.deleteMany(keys.map(keyOf)),
    clear: () => engine.clear(),
    keys: () => engine.keys(),
  }
}

/** The engine refuses what is no text: `undefined` as a key would make one entry of many. */
function keyOf(key: unknown): string {
  return (typeof key === 'number' && !Number.isNaN(key) ? String(key) : key) as string
}
