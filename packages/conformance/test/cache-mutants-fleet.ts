import type { ConformantCache } from '@holdfast/conformance'
import { mutant, pause, type CacheMutant } from './cache-mutant.ts'

/** Reads, and stores what it makes, without looking whether anything has changed meanwhile. */
function filling(cache: ConformantCache): Partial<ConformantCache> {
  const flights = new Map<string, Promise<unknown>>()
  return {
    getOrSet(key, factory, policy) {
      const flight = flights.get(key) ?? fill().finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight

      async function fill(): Promise<unknown> {
        const there = await cache.get(key)
        if (there !== undefined) return there
        const value = await factory()
        if (value !== undefined) await cache.set(key, value, policy)
        return value
      }
    },
  }
}

/** Remembers what it read, until it changes it itself. */
function remembering(cache: ConformantCache): Partial<ConformantCache> {
  const kept = new Map<string, unknown>()
  return {
    async get(key) {
      if (!kept.has(key)) {
        const value = await cache.get(key)
        if (value === undefined) return undefined
        kept.set(key, value)
      }
      return kept.get(key)
    },
    set: (key, value, policy) => (kept.delete(key), cache.set(key, value, policy)),
    delete: (key) => (kept.delete(key), cache.delete(key)),
    deleteByTag: (tag) => (kept.clear(), cache.deleteByTag!(tag)),
    clear: () => (kept.clear(), cache.clear!()),
  }
}

const flightMutants: readonly CacheMutant[] = [
  mutant('a thousand callers of a cold key', 'one for each', (cache) => ({
    async getOrSet(key, factory, policy) {
      const there = await cache.get(key)
      if (there !== undefined) return there
      const value = await factory()
      await cache.set(key, value, policy)
      return value
    },
  })),
  mutant('a thousand callers of a cold key', 'keeping nothing', (cache) => ({
    getOrSet: async (key, factory, policy) => {
      const value = await cache.getOrSet(key, factory, policy)
      await cache.delete(key)
      return value
    },
  })),
  mutant('a thousand callers when it throws', 'each trying again', (cache) => ({
    getOrSet: (key, factory, policy) => cache.getOrSet(key, factory, policy).catch(() => factory()),
  })),
  mutant('a thousand callers when it throws', 'swallowing the error', (cache) => ({
    getOrSet: (key, factory, policy) => cache.getOrSet(key, factory, policy).catch(() => undefined),
  })),
  mutant('a thousand callers when it throws', 'remembering the error', (cache) => {
    const errors = new Map<string, unknown>()
    return {
      async getOrSet(key, factory, policy) {
        if (errors.has(key)) throw errors.get(key)
        return cache.getOrSet(key, factory, policy).catch((error: unknown) => {
          errors.set(key, error)
          throw error
        })
      },
    }
  }),
  mutant('a thousand callers when it gives null', 'not keeping it', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache.getOrSet(key, async () => (await factory()) ?? undefined, policy).then((value) => value ?? null),
  })),
  mutant('a thousand callers when it gives undefined', 'one for each', (cache) => ({
    getOrSet: async (key, factory, policy) => (await cache.getOrSet(key, factory, policy)) ?? factory(),
  })),
  mutant('a thousand callers when it gives undefined', 'keeping null', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache.getOrSet(key, async () => (await factory()) ?? null, policy).then((value) => value ?? undefined),
  })),
  mutant('a factory of its own for each key', 'one at a time for all', (cache) => {
    let flight: Promise<unknown> | undefined
    return {
      getOrSet: (key, factory, policy) =>
        (flight ??= cache.getOrSet(key, factory, policy).finally(() => (flight = undefined))),
    }
  }),
  mutant('holds no key up by the factory of another', 'one after the other', (cache) => {
    let last: Promise<unknown> = Promise.resolve()
    return {
      getOrSet: (key, factory, policy) =>
        (last = last.then(() => cache.getOrSet(key, factory, policy)).catch(() => undefined)),
    }
  }),
  mutant('a factory that throws before it gives a promise', 'taking it for nothing', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache.getOrSet(
        key,
        () => {
          try {
            return factory()
          } catch {
            return undefined
          }
        },
        policy,
      ),
  })),
  { breaks: 'one factory in two processes', by: 'one for each process', options: { lease: false } },
  mutant('lets another process try whose turn comes', 'keeping its turn', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache.getOrSet(
        key,
        async () => {
          try {
            return await factory()
          } catch (error) {
            await pause(4_000)
            throw error
          }
        },
        policy,
      ),
  })),
]

const changes = ['an update', 'a deletion', 'an invalidated tag', 'a clear']

export const fleetMutants: readonly CacheMutant[] = [
  ...flightMutants,
  ...changes.map((what) => mutant(`shows ${what} by one process`, 'remembering the old value', remembering)),
  ...changes.map((what) => mutant(`whose factory began before ${what},`, 'storing it all the same', filling)),
  mutant('shows what one process stores to another', 'remembering that there was nothing', (cache) => {
    const missed = new Set<string>()
    return {
      async get(key) {
        const value = missed.has(key) ? undefined : await cache.get(key)
        if (value === undefined) missed.add(key)
        return value
      },
    }
  }),
]
