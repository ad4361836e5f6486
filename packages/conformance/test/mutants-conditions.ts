import { mutant, type Mutant } from './mutant.ts'

const day = 86_400_000

export const expiryMutants: readonly Mutant[] = [
  mutant('forgets an entry when its ttl is over', 'keeping everything for a day', (inner) => ({
    set: (key, value, options) => inner.set(key, value, { ...options, ttl: day }),
  })),
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
  mutant('keeps an entry with a ttl of a hundred years', 'a 32-bit timer', (inner) => ({
    set: (key, value, options) =>
      inner.set(key, value, options?.ttl && options.ttl > 2 ** 31 ? { ...options, ttl: 1 } : options),
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
  mutant('loses none of many updates', 'looking before it writes', (inner) => ({
    async set(key, value, options) {
      if (options?.ifVersion === undefined) return inner.set(key, value, options)
      await inner.get(key)
      return inner.set(key, value)
    },
  })),
]
