import type { ConformantCache } from '@holdfast/conformance'
import type { Around, CacheMutation } from './model-cache.ts'
import { mutant, pause, type CacheMutant } from './cache-mutant.ts'

/** Tells others nothing of what is changed while they are away. */
function dropping(method: 'set' | 'delete' | 'deleteByTag' | 'clear'): CacheMutation {
  return (cache, { isAway }) => ({
    [method]: async (...words: [string, unknown]) =>
      isAway() || (cache[method] as (...words: unknown[]) => Promise<unknown>)(...words),
  })
}

/** Does late what was asked for in an outage. */
async function onceBack({ isAway, closed }: Around, change: () => Promise<unknown>): Promise<void> {
  while (isAway() && !closed.aborted) await pause(20)
  await pause(300)
  if (!closed.aborted) await change()
}

/** Writes again, after an outage, what was written in it. */
function late(cache: ConformantCache, around: Around): Partial<ConformantCache> {
  return {
    async set(key, value, policy) {
      if (around.isAway() || value === 'late') void onceBack(around, () => cache.set(key, value, policy))
      return cache.set(key, value, policy)
    },
  }
}

export const outageMutants: readonly CacheMutant[] = [
  mutant(
    'answers every call in time and without an error',
    'an error where it cannot ask',
    (cache, { isAway }) => ({
      async get(key) {
        const value = await cache.get(key)
        if (isAway()) throw new Error('ECONNREFUSED')
        return value
      },
    }),
  ),
  mutant(
    'answers every call in time and without an error',
    'waiting for the end of it',
    (cache, { isAway, closed }) => ({
      async set(key, value, policy) {
        const stored = await cache.set(key, value, policy)
        while (isAway() && !closed.aborted) await pause(20)
        return stored
      },
    }),
  ),
  mutant('makes what it cannot ask for', 'one factory for each caller', (cache, { isAway }) => ({
    async getOrSet(key, factory, policy) {
      await cache.get(key)
      return isAway() ? factory() : cache.getOrSet(key, factory, policy)
    },
  })),
  mutant('makes what it cannot ask for', 'giving nothing', (cache, { isAway }) => ({
    getOrSet: async (key, factory, policy) => {
      const value = await cache.getOrSet(key, factory, policy)
      return isAway() ? undefined : value
    },
  })),
  mutant('gives the error of a factory that fails', 'swallowing it', (cache) => ({
    getOrSet: (key, factory, policy) => cache.getOrSet(key, factory, policy).catch(() => undefined),
  })),
  {
    breaks: 'runs no more factories at once',
    by: 'as many as there are keys',
    options: { factories: { max: 1_000 } },
  },
  mutant('serves a copy in its grace', 'having none', (cache, { isAway }) => ({
    getOrSet: async (key, factory, policy) => {
      const value = await cache.getOrSet(key, factory, policy)
      return isAway() ? factory() : value
    },
  })),
  mutant('comes up during an outage', 'staying on its own', (cache, { isAway }) => {
    if (!isAway()) return {}
    const own = new Map<string, unknown>()
    return {
      get: async (key) => own.get(key),
      set: async (key, value) => own.set(key, value),
      getOrSet: async (key, factory) => own.get(key) ?? (own.set(key, await factory()), own.get(key)),
    }
  }),
  mutant('keeps what was stored before', 'clearing it all', (cache, { isAway }) => {
    let wasAway = false
    return {
      async get(key) {
        const value = await cache.get(key)
        wasAway ||= isAway()
        if (wasAway && !isAway()) await cache.delete(key)
        return value
      },
    }
  }),
  mutant('settles every call, and in time, once it is closed', 'never', (cache, { closed }) => ({
    get: (key) => (closed.aborted ? new Promise(() => undefined) : cache.get(key)),
  })),
  mutant('another process deleted it in the outage', 'telling nobody', dropping('delete')),
  mutant('another process updated it in the outage', 'telling nobody', dropping('set')),
  mutant('another process invalidated its tag in the outage', 'telling nobody', dropping('deleteByTag')),
  mutant('another process cleared the cache in the outage', 'telling nobody', dropping('clear')),
  mutant('another process deleted it in the outage', 'going by a copy', (cache) => {
    const kept = new Map<string, unknown>()
    return {
      async get(key) {
        const value = await cache.get(key)
        if (value === undefined) return kept.get(key)
        kept.set(key, value)
        return value
      },
      delete: (key) => (kept.delete(key), cache.delete(key)),
    }
  }),
  mutant('brings nothing back by a write that was given up', 'writing it again', late),
  mutant('lets what is stored after the outage stand', 'writing again what was written in it', late),
  mutant('began before a deletion in the outage', 'storing it all the same', (cache, around) => ({
    async getOrSet(key, factory, policy) {
      const value = await cache.getOrSet(key, factory, policy)
      void onceBack(around, () => cache.set(key, value, policy))
      return value
    },
  })),
]
