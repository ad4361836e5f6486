import type { ConformantCache, EntryPolicy } from '@holdfast/conformance'
import { mutant, type CacheMutant } from './cache-mutant.ts'

const hour = 3_600_000

/** Keeps the very objects it was given. */
function keeping(cache: ConformantCache): Partial<ConformantCache> {
  const kept = new Map<string, unknown>()
  return {
    set: (key, value, policy) => (kept.set(key, value), cache.set(key, value, policy)),
    get: async (key) => kept.get(key) ?? cache.get(key),
  }
}

const valueMutants: readonly CacheMutant[] = [
  mutant('gives values back as they were stored', 'taking falsy values for nothing', (cache) => ({
    get: async (key) => (await cache.get(key)) || undefined,
  })),
  mutant('gives values back as they were stored', 'making falsy values anew', (cache) => ({
    getOrSet: async (key, factory, policy) => (await cache.getOrSet(key, factory, policy)) || factory(),
  })),
  mutant('tells null, which is a value', 'taking it for nothing', (cache) => ({
    get: async (key) => (await cache.get(key)) ?? undefined,
  })),
  mutant('tells null, which is a value', 'making it anew', (cache) => ({
    getOrSet: async (key, factory, policy) => (await cache.getOrSet(key, factory, policy)) ?? factory(),
  })),
  mutant('gives bytes back as bytes', 'taking them for text', (cache) => ({
    set: (key, value, policy) =>
      cache.set(key, Buffer.isBuffer(value) ? Buffer.from(value.toString('utf8')) : value, policy),
  })),
  mutant('keeps objects of any depth', 'cutting them off at a hundred', (cache) => ({
    get: async (key) => cutOff(await cache.get(key), 100),
  })),
  mutant('keeps an object of 1 MB', 'losing what is above 512 kB', (cache) => ({
    set: async (key, value, policy) =>
      JSON.stringify(value).length > 524_288 || cache.set(key, value, policy),
  })),
  mutant('takes keys of 1 kB', 'cutting off at 512', (cache) => ({
    set: (key, value, policy) => cache.set(key.slice(0, 512), value, policy),
    get: (key) => cache.get(key.slice(0, 512)),
    delete: (key) => cache.delete(key.slice(0, 512)),
  })),
  mutant('drops keys that would set the prototype', 'keeping them', keeping),
  mutant('keeps what was stored when the caller changes', 'keeping the object itself', keeping),
  mutant('hands out nothing that a caller could corrupt', 'handing the same out to all', (cache) => {
    const kept = new Map<string, unknown>()
    return {
      set: (key, value, policy) => (kept.delete(key), cache.set(key, value, policy)),
      async get(key) {
        if (!kept.has(key)) kept.set(key, structuredClone(await cache.get(key)))
        return kept.get(key)
      },
    }
  }),
  mutant('hands out nothing that a caller could corrupt', 'handing out the same bytes', (cache) => {
    const kept = new Map<string, unknown>()
    return {
      set: (key, value, policy) => (kept.delete(key), cache.set(key, value, policy)),
      async getOrSet(key, factory, policy) {
        const value = await cache.getOrSet(key, factory, policy)
        if (!Buffer.isBuffer(value)) return value
        if (!kept.has(key)) kept.set(key, value)
        return kept.get(key)
      },
    }
  }),
  mutant('answers undefined for what is not there', 'null', (cache) => ({
    get: async (key) => (await cache.get(key)) ?? null,
  })),
  mutant('replaces what a key held', 'merging', (cache) => ({
    set: async (key, value, policy) =>
      cache.set(key, { ...((await cache.get(key)) as object), ...(value as object) }, policy),
  })),
  mutant('deletes one entry and leaves the others', 'deleting none', () => ({ delete: async () => true })),
  mutant('deletes one entry and leaves the others', 'deleting all', (cache) => ({
    delete: () => cache.clear!(),
  })),
  mutant('takes keys of any characters', 'taking capitals for small letters', (cache) => ({
    set: (key, value, policy) => cache.set(key.toLowerCase(), value, policy),
    get: (key) => cache.get(key.toLowerCase()),
  })),
  mutant('tells whether there is an entry', 'going by the value', (cache) => ({
    has: async (key) => Boolean(await cache.get(key)),
  })),
  mutant('gives many values in the order of the keys', 'leaving out what is not there', (cache) => ({
    getMany: async (keys) => (await cache.getMany!(keys)).filter((value) => value !== undefined),
  })),
  mutant('gives many values in the order of the keys', 'in the order of the alphabet', (cache) => ({
    getMany: (keys) => cache.getMany!(keys.toSorted()),
  })),
  mutant('stores many and deletes many', 'deleting the first only', (cache) => ({
    deleteMany: ([first]) => cache.delete(first!),
  })),
  mutant('stores many and deletes many', 'storing the first only', (cache) => ({
    setMany: ([first]) => cache.set(first!.key, first!.value),
  })),
  mutant('takes what is foreign or corrupt', 'serving it', (cache, { raw }) => ({
    async get(key) {
      const value = await cache.get(key)
      const bytes = value === undefined ? await raw(key) : undefined
      return bytes === undefined ? value : String(bytes)
    },
  })),
  mutant('takes what is foreign or corrupt', 'failing on it', (cache, { raw }) => ({
    async get(key) {
      const value = await cache.get(key)
      if (value === undefined && (await raw(key)) !== undefined) throw new SyntaxError('Unexpected token')
      return value
    },
  })),
  mutant('takes what is foreign or corrupt', 'never overwriting it', (cache, { raw }) => ({
    async getOrSet(key, factory, policy) {
      const isForeign = (await cache.get(key)) === undefined && (await raw(key)) !== undefined
      return isForeign ? factory() : cache.getOrSet(key, factory, policy)
    },
  })),
]

const lifetimeMutants: readonly CacheMutant[] = [
  mutant('forgets an entry when its ttl is over', 'keeping it', (cache) => ({
    set: (key, value, policy) => cache.set(key, value, { ...policy, ttl: hour }),
  })),
  mutant('forgets an entry when its ttl is over', 'keeping what was made', (cache) => ({
    getOrSet: (key, factory, policy) => cache.getOrSet(key, factory, { ...policy, ttl: hour }),
  })),
  mutant('forgets an entry when its ttl is over', 'when it is got, and having it until then', (cache) => {
    const kept = new Set<string>()
    return {
      set: (key, value, policy) => (kept.add(key), cache.set(key, value, policy)),
      async get(key) {
        const value = await cache.get(key)
        if (value === undefined) kept.delete(key)
        return value
      },
      has: async (key) => kept.has(key),
    }
  }),
  mutant(
    'forgets an entry when its ttl is over',
    'when it is got, and giving it among many until then',
    (cache) => {
      const kept = new Map<string, unknown>()
      return {
        set: (key, value, policy) => (kept.set(key, value), cache.set(key, value, policy)),
        async get(key) {
          const value = await cache.get(key)
          if (value === undefined) kept.delete(key)
          return value
        },
        getMany: async (keys) => keys.map((key) => kept.get(key)),
      }
    },
  ),
  mutant('keeps an entry with a ttl of 25', 'keeping 32 bits of it', (cache) => ({
    set: (key, value, policy) =>
      cache.set(key, value, policy?.ttl ? { ...policy, ttl: Math.max(policy.ttl | 0, 1) } : policy),
  })),
  mutant('keeps an entry with a ttl of 25', 'making it with 32 bits of it', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache.getOrSet(key, factory, policy?.ttl ? { ...policy, ttl: Math.max(policy.ttl >>> 0, 1) } : policy),
  })),
  mutant('takes the ttl of the last write', 'keeping that of the first', (cache) => {
    const first = new Map<string, EntryPolicy>()
    return {
      set(key, value, policy = {}) {
        if (!first.has(key)) first.set(key, policy)
        return cache.set(key, value, first.get(key))
      },
    }
  }),
  mutant('serves what is past its ttl where the factory fails', 'having no grace', (cache) => ({
    set: (key, value, policy) => cache.set(key, value, { ...policy, grace: 0 }),
  })),
  mutant('serves what is past its ttl where the factory fails', 'a grace without end', (cache) => ({
    set: (key, value, policy) => cache.set(key, value, policy?.grace ? { ...policy, grace: hour } : policy),
  })),
  mutant('serves what is past its ttl where the factory fails', 'a grace for all', (cache) => ({
    set: (key, value, policy) => cache.set(key, value, { ...policy, grace: policy?.grace ?? hour }),
  })),
  mutant('makes a value anew that is past its ttl', 'serving the old one while there is one', (cache) => ({
    getOrSet: (key, factory, policy) =>
      cache
        .getOrSet(key, () => Promise.reject(new Error('none')), policy)
        .catch(() => cache.getOrSet(key, factory, policy)),
  })),
  mutant('has nothing left of an entry that was deleted', 'ending its ttl only', (cache) => ({
    delete: (key) => cache.expire!(key),
  })),
  mutant('ends the ttl of an entry when it is told to', 'not at all', () => ({ expire: async () => true })),
  mutant('ends the ttl of an entry when it is told to', 'deleting whatever it is told', (cache) => ({
    expire: (key) => cache.delete(key),
  })),
  mutant('keeps the grace of an entry whose ttl it ends', 'deleting it', (cache) => ({
    expire: (key) => cache.delete(key),
  })),
]

const everywhere = new Set<ConformantCache>()

/** Does to all caches what is done to one. */
function toAll(method: 'clear' | 'deleteByTag') {
  return (cache: ConformantCache): Partial<ConformantCache> => {
    everywhere.add(cache)
    return {
      [method]: (tag: string) => Promise.all([...everywhere].map((each) => each[method]!(tag))),
    }
  }
}

/** Deletes a thousand entries where more may be meant. */
function thousandOf(method: 'clear' | 'deleteByTag') {
  return (cache: ConformantCache): Partial<ConformantCache> => {
    const keys = new Set<string>()
    return {
      set: (key, value, policy) => (keys.add(key), cache.set(key, value, policy)),
      [method]: () => Promise.all([...keys].slice(0, 1_000).map((key) => cache.delete(key))),
    }
  }
}

const scopeMutants: readonly CacheMutant[] = [
  mutant('voids all entries with a tag', 'none', () => ({ deleteByTag: async () => true })),
  mutant('voids all entries with a tag', 'all there are', (cache) => ({ deleteByTag: () => cache.clear!() })),
  mutant('voids all entries with a tag', 'only those that were set', (cache) => ({
    getOrSet: (key, factory) => cache.getOrSet(key, factory),
  })),
  mutant('voids all entries with a tag', 'those of tags that begin with it', (cache) => {
    const keys = new Map<string, readonly string[]>()
    return {
      set: (key, value, policy) => (keys.set(key, policy?.tags ?? []), cache.set(key, value, policy)),
      async deleteByTag(tag) {
        await cache.deleteByTag!(tag)
        for (const [key, tags] of keys) if (tags.some((each) => each.startsWith(tag))) await cache.delete(key)
      },
    }
  }),
  mutant('voids all entries with a tag', 'by the tags of all their writes', (cache) => {
    const tagged = new Map<string, string[]>()
    return {
      set(key, value, policy) {
        const tags = [...(tagged.get(key) ?? []), ...(policy?.tags ?? [])]
        tagged.set(key, tags)
        return cache.set(key, value, { ...policy, tags })
      },
    }
  }),
  mutant('voids eleven hundred entries', 'a thousand of them', thousandOf('deleteByTag')),
  mutant('clears eleven hundred entries', 'a thousand of them', thousandOf('clear')),
  mutant('makes and keeps what is stored under a tag', 'voiding it for ever', (cache) => {
    const voided = new Set<string>()
    return {
      deleteByTag: (tag) => (voided.add(tag), cache.deleteByTag!(tag)),
      set: async (key, value, policy) =>
        policy?.tags?.some((tag) => voided.has(tag)) || cache.set(key, value, policy),
    }
  }),
  mutant('has no grace for an entry whose tag was voided', 'ending its ttl only', (cache) => {
    const tagged = new Set<string>()
    return {
      set: (key, value, policy) => (tagged.add(key), cache.set(key, value, policy)),
      deleteByTag: () => Promise.all([...tagged].map((key) => cache.expire!(key))),
    }
  }),
  mutant('clears all of its own entries', 'none', () => ({ clear: async () => true })),
  mutant('clears all of its own entries', 'everything there is', toAll('clear')),
  mutant('clears all of its own entries', 'what is stored later, too', (cache) => {
    let isCleared = false
    return {
      clear: () => ((isCleared = true), cache.clear!()),
      get: async (key) => (isCleared ? undefined : cache.get(key)),
    }
  }),
  mutant('voids the tag of a neighbour no more', 'one set of tags for all', toAll('deleteByTag')),
]

export const contractMutants: readonly CacheMutant[] = [...valueMutants, ...lifetimeMutants, ...scopeMutants]

function cutOff(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '…'
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, cutOff(child, depth - 1)]))
}
