import type { Backend } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'

export const valueMutants: readonly Mutant[] = [
  mutant('gives back the very bytes', 'taking bytes for text', (inner) => ({
    get: async (key) => text(await inner.get(key)),
  })),
  mutant('tells an empty value from no value', 'taking an empty value for none', (inner) => ({
    get: async (key) => ((await inner.get(key))?.length ? inner.get(key) : undefined),
  })),
  mutant('stores a value of 1 MB', 'cutting off at 64 kB', (inner) => ({
    set: (key, value, options) => inner.set(key, value.subarray(0, 65_536), options),
  })),
  mutant('stores a value of 8 MB', 'cutting off at 2 MB', (inner) => ({
    set: (key, value, options) => inner.set(key, value.subarray(0, 2e6), options),
  })),
  mutant('answers undefined for what is not there', 'answering null', (inner) => ({
    get: async (key) => (await inner.get(key)) ?? (null as never),
  })),
  mutant('replaces what a key held', 'keeping the longer value', (inner) => ({
    async set(key, value, options) {
      const old = await inner.get(key)
      return inner.set(key, old && old.length > value.length ? old : value, options)
    },
  })),
  mutant('applies each write and each deletion once', 'writing again later', (inner) => ({
    set(key, value, options) {
      later(() => inner.set(key, value))
      return inner.set(key, value, options)
    },
  })),
  mutant('applies each write and each deletion once', 'writing again later over what is there', (inner) => ({
    set(key, value, options) {
      later(async () => (await inner.get(key)) && inner.set(key, value))
      return inner.set(key, value, options)
    },
  })),
  mutant('applies each write and each deletion once', 'deleting again later', (inner) => ({
    delete(key) {
      later(() => inner.delete(key))
      return inner.delete(key)
    },
  })),
  mutant('deletes, and tells', 'always telling that it was there', (inner) => ({
    delete: async (key) => (await inner.delete(key), true),
  })),
  mutant('tells one of many that delete a key at once', 'looking before it deletes', (inner) => ({
    async delete(key) {
      const wasThere = (await inner.get(key)) !== undefined
      await inner.delete(key)
      return wasThere
    },
  })),
  mutant('takes keys of any characters', 'taking capitals for small letters', (inner) => ({
    get: (key) => inner.get(key.toLowerCase()),
    set: (key, value, options) => inner.set(key.toLowerCase(), value, options),
    getMany: (keys) => inner.getMany(keys.map((key) => key.toLowerCase())),
  })),
  mutant('takes keys of 1 kB', 'cutting off at 255', (inner) => shortened(inner, 255)),
  mutant('takes keys of 1 kB', 'cutting off at 1,023', (inner) => shortened(inner, 1_023)),
  mutant('gives many entries in the order', 'asking for each key once', (inner) => ({
    getMany: (keys) => inner.getMany([...new Set(keys)]),
  })),
  mutant('gives nothing for no keys', 'stopping at five hundred', (inner) => ({
    getMany: (keys) => inner.getMany(keys.slice(0, 500)),
  })),
  mutant('when the caller changes its buffer', "keeping the caller's buffer", (inner) => {
    const kept = new Map<string, Uint8Array>()
    return {
      set: (key, value, options) => (kept.set(key, value), inner.set(key, value, options)),
      get: async (key) => kept.get(key) ?? inner.get(key),
    }
  }),
  mutant('when the reader changes what it got', 'handing out what it keeps', (inner) => {
    const kept = new Map<string, Uint8Array | undefined>()
    return {
      async get(key) {
        if (!kept.has(key)) kept.set(key, await inner.get(key))
        return kept.get(key)
      },
    }
  }),
  mutant('answers each of many calls at once', 'answering in the order of arrival', (inner) => {
    const waiting: ((bytes: Uint8Array | undefined) => void)[] = []
    return {
      get: (key) =>
        new Promise((resolve) => {
          waiting.unshift(resolve)
          void inner.get(key).then((bytes) => setTimeout(() => waiting.shift()?.(bytes), 1))
        }),
    }
  }),
  mutant('answers a bound read like any other', 'binding nothing', () => ({
    getBound: async () => undefined,
  })),
  mutant('shows to one client what another', 'prefixing keys by client', (inner) => {
    const own = `${Math.random()}`
    return {
      get: (key) => inner.get(own + key),
      set: (key, value, options) => inner.set(own + key, value, options),
    }
  }),
]

function shortened(inner: Backend, length: number): Partial<Backend> {
  const short = (key: string): string => key.slice(0, length)
  return {
    get: (key) => inner.get(short(key)),
    getMany: (keys) => inner.getMany(keys.map(short)),
    set: (key, value, options) => inner.set(short(key), value, options),
    delete: (key) => inner.delete(short(key)),
  }
}

function later(call: () => Promise<unknown>): void {
  setTimeout(() => void call().catch(() => undefined), 50)
}

function text(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(Buffer.from(bytes).toString('utf8'))
}
