import type { Clock } from '../clock.ts'
import type { Entries } from '../degradation/entries.ts'
import { optionError } from '../errors.ts'
import { parseDuration } from '../units.ts'
import { argumentsKey } from './arguments-key.ts'
import type { Cache, CacheEntry, CacheItem, WrapOptions } from './cache.ts'
import type { Factory } from './factory.ts'
import { handedOut } from './freeze.ts'
import type { Hearing } from './hearing.ts'
import type { Near, NearEntry } from './near.ts'
import { checkedList, checkedTag, type CachePolicy, type Policy, type PolicyReader } from './policy.ts'
import { isDue, type Producer } from './produce.ts'
import type { Reserve } from './reserve.ts'
import type { Sight, Sights } from './sight.ts'
import { statisticsOf, type Counters } from './statistics.ts'
import type { Storing } from './storing.ts'
import type { Versions } from './versions.ts'

/** What a cache is made of. */
export interface EngineParts {
  readonly entries: Entries
  readonly versions: Versions
  readonly near: Near | undefined
  readonly hearing: Hearing
  readonly reserve: Reserve
  readonly sights: Sights
  readonly storing: Storing
  readonly producer: Producer
  readonly counters: Counters
  readonly policyOf: PolicyReader
  readonly clock: Clock
  /** Gives the copy of a key that this process has, if it may be served. */
  readonly copyOf: (wireKey: string) => { readonly value: unknown } | undefined
}

const maxConflicts = 8

export function createCache(parts: EngineParts): Cache {
  const { entries, versions, near, reserve, sights, storing, producer, counters, clock, policyOf } = parts
  /** What this process knows of a key does not count any more. */
  function forget(key: string, wireKey: string): void {
    near?.drop([key])
    reserve.drop(wireKey)
    producer.void(wireKey)
  }

  /** Gives what a sight shows to those who only ask. */
  function shown(wireKey: string, sight: Sight): unknown {
    switch (sight.status) {
      case 'found':
        if (sight.isFresh) {
          counters.primary++
          return sight.value
        }
        counters.misses++
        return undefined
      case 'missing':
        counters.misses++
        return undefined
      case 'unknown': {
        counters.bypasses++
        const copy = parts.copyOf(wireKey)
        if (copy) counters.stale++
        return copy?.value
      }
    }
  }

  function get<T>(key: string): Promise<T | undefined> {
    const there = sights.near(key)
    if (there) {
      counters.near++
      return Promise.resolve(handedOut(there.value) as T)
    }
    try {
      const wireKey = entries.wireKey(key)
      return sights.lookFor(key, wireKey, (sight) => shown(wireKey, sight) as T)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async function getMany<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    const values: unknown[] = Array.from(checkedList('keys', keys), (key) => sights.near(key))
    const far: number[] = []
    values.forEach((there, i) => {
      if (there === undefined) far.push(i)
      else values[i] = handedOut((there as NearEntry).value)
    })
    counters.near += keys.length - far.length
    if (far.length === 0) return values as T[]
    const asked = far.length === keys.length ? keys : far.map((i) => keys[i]!)
    const wireKeys = asked.map((key) => entries.wireKey(key))
    const seen = await sights.lookMany(asked, wireKeys)
    far.forEach((i, position) => (values[i] = shown(wireKeys[position]!, seen[position]!)))
    return values as (T | undefined)[]
  }

  function getOrSet<T, Stale>(key: string, factory: Factory<T, Stale>, given?: CachePolicy<T>): Promise<T> {
    try {
      if (typeof factory !== 'function') throw optionError('factory', 'a function', factory)
      const eager = given?.eager ?? policyOf().eager
      // What is stored under a key is what the caller says that it is.
      return answer(key, factory as Factory<T, unknown>, eager, () => policyOf(given))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** A hit near at hand asks for no policy, which takes longer to read than the hit. */
  function answer<T>(
    key: string,
    factory: Factory<T, unknown>,
    eager: number,
    policy: () => Policy,
  ): Promise<T> {
    const there = sights.near(key)
    if (!there) {
      const wireKey = entries.wireKey(key)
      return producer.produce(key, wireKey, factory, policy())
    }
    counters.near++
    if (isDue(there.madeAt, there.freshUntil, eager, clock.now()))
      producer.refresh(key, entries.wireKey(key), undefined, factory, policy())
    return Promise.resolve(handedOut(there.value) as T)
  }

  function set<T>(key: string, value: T, given?: CachePolicy<T>): Promise<boolean> {
    try {
      const wireKey = entries.wireKey(key)
      const policy = policyOf(given)
      forget(key, wireKey)
      const stored = storing.put(key, wireKey, value, policy)
      // What was read while it was written may be what was there before.
      return near ? stored.finally(() => near.drop([key])) : stored
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async function remove(key: string): Promise<boolean> {
    const wireKey = entries.wireKey(key)
    forget(key, wireKey)
    const wasThere = await entries.delete(key)
    near?.drop([key])
    return wasThere
  }

  async function expire(key: string, given: number | string = 0): Promise<boolean> {
    const ttl = given === Infinity ? Infinity : parseDuration('ttl', given)
    const wireKey = entries.wireKey(key)
    forget(key, wireKey)
    for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
      const sight = await sights.look(key, wireKey)
      if (sight.status === 'missing') {
        // What does not count now may count later; and what a factory makes now is from before.
        if (sight.over) await remove(key)
        return false
      }
      if (sight.status === 'unknown') break
      const { found, scoped } = sight
      const grace = found.stamp === 0 ? 0 : Math.max(0, found.endsAt - found.stamp)
      const stamp = ttl === Infinity ? 0 : clock.now() + ttl
      // Without a grace nothing is left of what is over.
      if (ttl + grace <= 0) return remove(key)
      const life = ttl === Infinity ? { endsAt: 0 } : { endsAt: stamp + grace, ttl: ttl + grace }
      const stored = await entries.set(key, scoped, { stamp, ...life, over: found })
      near?.drop([key])
      if (stored.status === 'stored' && stored.entry.origin === 'primary') return true
      if (stored.status === 'stored') break
    }
    await remove(key)
    return false
  }

  async function renew(tag?: string): Promise<boolean> {
    if (tag === undefined) {
      near?.drop()
      producer.void()
    } else producer.voidTagged(tag)
    return versions.renew(tag)
  }

  function wrap<Args extends readonly unknown[], T>(
    fn: (...args: Args) => T | Promise<T>,
    { key, ...given }: WrapOptions<Args, T>,
  ): (...args: Args) => Promise<T> {
    if (typeof fn !== 'function') throw optionError('fn', 'a function', fn)
    if (typeof key !== 'string' && typeof key !== 'function')
      throw optionError('key', 'text, or a function of the arguments', key)
    const policy = policyOf(given as CachePolicy<T>)
    const keyOf = typeof key === 'function' ? key : (...args: Args) => `${key}:${argumentsKey(args)}`
    return async function (this: unknown, ...args) {
      const call = (): T | Promise<T> => Reflect.apply(fn, this, args)
      return answer(keyOf(...args), call, policy.eager, () => policy)
    }
  }

  async function inspect<T>(key: string): Promise<CacheEntry<T> | undefined> {
    const sight = await sights.look(key, entries.wireKey(key))
    if (sight.status !== 'found') return undefined
    const { value, isFresh, found, scoped } = sight
    return {
      value: handedOut(value) as T,
      isFresh,
      storedAt: found.revision,
      freshUntil: found.stamp === 0 ? Infinity : found.stamp,
      tags: scoped.tags.map(([tag]) => tag),
    }
  }

  return {
    get,
    getMany,
    async has(key) {
      const wireKey = entries.wireKey(key)
      const there = sights.near(key)
      if (there) return there.value !== undefined
      const sight = await sights.look(key, wireKey)
      return sight.status === 'found' && sight.isFresh && sight.value !== undefined
    },
    getOrSet,
    set,
    setMany: async <T>(items: Iterable<CacheItem<T>>) =>
      Promise.all([...items].map(({ key, value, policy }) => set(key, value, policy))),
    expire,
    delete: remove,
    deleteMany: async (keys) => Promise.all(checkedList('keys', keys).map(remove)),
    async deleteByTag(tags) {
      const checked =
        typeof tags === 'string' ? [checkedTag(tags)] : checkedList('tags', tags).map(checkedTag)
      const told = await Promise.all(checked.map((tag) => renew(tag)))
      return told.every(Boolean)
    },
    clear: () => renew(),
    wrap,
    inspect,
    keys: () => entries.keys(),
    statistics: () =>
      statisticsOf(counters, {
        entries: near?.size() ?? 0,
        bytes: near?.bytes() ?? 0,
        isOn: near !== undefined && parts.hearing.isOn(),
      }),
  }
}
