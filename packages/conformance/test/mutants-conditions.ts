import type { Backend } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'

type Way = 'getMany' | 'touch' | 'delete' | 'scan'

const day = 86_400_000

export const expiryMutants: readonly Mutant[] = [
  mutant('forgets an entry when its ttl is over', 'keeping everything for a day', (inner) => ({
    set: (key, value, options) => inner.set(key, value, { ...options, ttl: day }),
  })),
  ...(['getMany', 'touch', 'delete', 'scan'] as const).map((way) =>
    mutant(
      'forgets an entry when its ttl is over',
      `removing it when it is read, and not by ${way}`,
      (inner) => {
        const lazy = lazilyExpiring(inner)
        return { ...lazy, [way]: lazy.unmindful[way] }
      },
    ),
  ),
  mutant('keeps an entry without a ttl', 'a default ttl', (inner) => ({
    set: (key, value, options) => inner.set(key, value, { ttl: 300, ...options }),
  })),
  mutant('takes the ttl of the last write', 'keeping the ttl of the first', (inner) => {
    const first = new Map<string, number | undefined>()
    return {
      set(key, value, options = {}) {
        if (!first.has(key)) first.set(key, options.ttl)
        const ttl = first.get(key)
        return inner.set(key, value, { ...options, ...(ttl !== undefined && { ttl }) })
      },
    }
  }),
  mutant('counts a touched ttl from now', 'extending only', (inner) => ({
    touch: async (key, ttl) => (ttl < 1_000 ? (await inner.get(key)) !== undefined : inner.touch(key, ttl)),
  })),
  mutant('never creates an entry by touching', 'upserting', (inner) => ({
    touch: async (key, ttl) => (await inner.set(key, Buffer.from(''), { ifAbsent: true, ttl }), true),
  })),
  mutant('keeps an entry with a ttl of 25', 'a 32-bit timer', (inner) => ({
    set: (key, value, options) =>
      inner.set(key, value, options?.ttl && options.ttl > 2 ** 31 ? { ...options, ttl: 1 } : options),
  })),
  mutant('keeps an entry with a ttl of 25', 'keeping 32 bits of it with their sign', (inner) => ({
    set: (key, value, options) =>
      inner.set(key, value, options?.ttl ? { ...options, ttl: Math.max(options.ttl | 0, 1) } : options),
  })),
  mutant('keeps an entry with a ttl of 25', 'keeping 32 bits of it without a sign', (inner) => ({
    set: (key, value, options) =>
      inner.set(key, value, options?.ttl ? { ...options, ttl: Math.max(options.ttl >>> 0, 1) } : options),
  })),
  mutant('keeps an entry with a ttl of 25', 'touching with 32 bits of it', (inner) => ({
    touch: (key, ttl) => inner.touch(key, Math.max(ttl | 0, 1)),
  })),
  mutant('lets nothing that has expired stand', 'remembering which keys there were', (inner) => {
    const seen = new Set<string>()
    return {
      async set(key, value, options) {
        if (options?.ifAbsent && seen.has(key)) return { written: false, current: undefined }
        seen.add(key)
        return inner.set(key, value, options)
      },
    }
  }),
]

export const conditionMutants: readonly Mutant[] = [
  mutant('stores "if absent" only', 'ignoring it', (inner) => ({
    set: (key, value, { ttl } = {}) => inner.set(key, value, ttl === undefined ? {} : { ttl }),
  })),
  mutant('stores "if version" only', 'ignoring it', (inner) => ({
    set: (key, value, { ttl, ifAbsent } = {}) =>
      inner.set(key, value, { ...(ttl !== undefined && { ttl }), ...(ifAbsent && { ifAbsent }) }),
  })),
  mutant('stores nothing "if version"', 'creating what is not there', (inner) => ({
    async set(key, value, { ifVersion, ...options } = {}) {
      if (ifVersion === undefined || (await inner.get(key)) === undefined)
        return inner.set(key, value, options)
      return inner.set(key, value, { ...options, ifVersion })
    },
  })),
  mutant('leaves an entry and its ttl alone', 'touching before it looks', (inner) => ({
    async set(key, value, options) {
      if (options?.ttl) await inner.touch(key, options.ttl)
      return inner.set(key, value, options)
    },
  })),
  mutant('gives a conditional write its own ttl', 'forgetting it', (inner) => ({
    set: (key, value, options = {}) => {
      const { ttl: _, ...rest } = options
      return inner.set(key, value, options.ifAbsent ? rest : options)
    },
  })),
  mutant('lets exactly one of many writers', 'looking before it writes', (inner) => ({
    async set(key, value, options) {
      if (!options?.ifAbsent) return inner.set(key, value, options)
      const current = await inner.get(key)
      return current === undefined ? inner.set(key, value) : { written: false, current }
    },
  })),
  mutant('lets exactly one of many writers', 'looking before it writes more than 4 kB', (inner) => ({
    async set(key, value, options) {
      if (!options?.ifAbsent || value.length <= 4_096) return inner.set(key, value, options)
      const current = await inner.get(key)
      return current === undefined ? inner.set(key, value) : { written: false, current }
    },
  })),
  mutant('loses none of many updates', 'looking before it writes more than 4 kB', (inner) => ({
    async set(key, value, options) {
      if (options?.ifVersion === undefined || value.length <= 4_096) return inner.set(key, value, options)
      await inner.get(key)
      return inner.set(key, value)
    },
  })),
  mutant('loses none of many updates', 'looking before it writes', (inner) => ({
    async set(key, value, options) {
      if (options?.ifVersion === undefined) return inner.set(key, value, options)
      await inner.get(key)
      return inner.set(key, value)
    },
  })),
]

/** Keeps entries past their ttl until a read removes them; `unmindful` are the ways of asking that do not look at it. */
function lazilyExpiring(inner: Backend): Partial<Backend> & { readonly unmindful: Pick<Backend, Way> } {
  const ends = new Map<string, number>()
  async function isThere(key: string): Promise<boolean> {
    if ((ends.get(key) ?? Infinity) > Date.now()) return (await inner.get(key)) !== undefined
    ends.delete(key)
    await inner.delete(key)
    return false
  }
  return {
    async set(key, value, { ttl, ...condition } = {}) {
      await isThere(key)
      const outcome = await inner.set(key, value, condition)
      if (outcome.written) ends.set(key, ttl === undefined ? Infinity : Date.now() + ttl)
      return outcome
    },
    get: async (key) => ((await isThere(key)) ? inner.get(key) : undefined),
    getMany: async (keys) => (await Promise.all(keys.map(isThere)), inner.getMany(keys)),
    touch: async (key, ttl) => (await isThere(key)) && ends.set(key, Date.now() + ttl).has(key),
    delete: async (key) => (await isThere(key)) && inner.delete(key),
    async *scan(prefix) {
      for await (const keys of inner.scan(prefix)) {
        await Promise.all(keys.map(isThere))
        yield keys.filter((key) => ends.has(key))
      }
    },
    unmindful: {
      getMany: (keys) => inner.getMany(keys),
      touch: async (key, ttl) => ends.has(key) && ends.set(key, Date.now() + ttl).has(key),
      delete: (key) => inner.delete(key),
      scan: (prefix) => inner.scan(prefix),
    },
  }
}
