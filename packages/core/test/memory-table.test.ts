import { manualClock } from '@holdfast-internal/test-fixtures'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  createMemoryTable,
  entryOverhead,
  type MemoryTable,
  type MemoryTableOptions,
} from '../src/backend/memory-table.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

function tableOf(options: Partial<MemoryTableOptions> = {}): {
  table: MemoryTable
  advance: (ms: number) => Promise<void>
} {
  const clock = manualClock()
  const table = createMemoryTable({ clock, maxEntries: 1000, maxBytes: 1024 ** 2, ...options })
  return { table, advance: (ms) => clock.advance(ms) }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

describe('a memory table', () => {
  it('gives what was set, and undefined for what was not', () => {
    const { table } = tableOf()
    table.set('a', bytes('1'))
    table.set('empty', new Uint8Array(0))
    expect(textOf(table.get('a'))).toBe('1')
    expect(table.get('empty')).toEqual(new Uint8Array(0))
    expect(table.get('b')).toBeUndefined()
  })

  it('keeps an entry to the last millisecond of its ttl, and no longer', async () => {
    const { table, advance } = tableOf()
    table.set('a', bytes('1'), 1000)
    await advance(999)
    expect(textOf(table.get('a'))).toBe('1')
    expect(table.keys('')).toEqual(['a'])
    await advance(1)
    expect(table.get('a')).toBeUndefined()
    expect(table.keys('')).toEqual([])
    expect(table.delete('a')).toBe(false)
    expect(table.touch('a', 1000)).toBe(false)
    expect(table.expiresAt('a')).toBeUndefined()
  })

  it.each<[string, (table: MemoryTable) => unknown]>([
    ['get', (table) => table.get('a')],
    ['delete', (table) => table.delete('a')],
    ['touch', (table) => table.touch('a', 5)],
    ['keys', (table) => table.keys('')],
  ])('lets go of what has expired when it is met by %s', async (_, meet) => {
    const { table, advance } = tableOf()
    table.set('a', bytes('1'), 1)
    await advance(1)
    expect(table.size()).toBe(1)
    meet(table)
    expect([table.size(), table.bytes()]).toEqual([0, 0])
  })

  it('keeps an entry without a ttl', async () => {
    const { table, advance } = tableOf()
    table.set('a', bytes('1'))
    await advance(1e12)
    expect(textOf(table.get('a'))).toBe('1')
    expect(table.expiresAt('a')).toBe(Infinity)
  })

  it('takes the ttl away with a set that has none, and gives one to an entry that had none', async () => {
    const { table, advance } = tableOf()
    table.set('a', bytes('1'), 10)
    table.set('a', bytes('2'))
    table.set('b', bytes('1'))
    table.set('b', bytes('2'), 10)
    await advance(10)
    expect(table.keys('')).toEqual(['a'])
  })

  it('counts a touch from now, whether it extends or shortens', async () => {
    const { table, advance } = tableOf()
    table.set('a', bytes('1'), 100)
    table.set('b', bytes('1'), 100)
    await advance(50)
    expect(table.touch('a', 100)).toBe(true)
    expect(table.touch('b', 10)).toBe(true)
    await advance(10)
    expect(table.get('b')).toBeUndefined()
    await advance(89)
    expect(textOf(table.get('a'))).toBe('1')
    await advance(1)
    expect(table.get('a')).toBeUndefined()
  })

  it('never creates an entry by a touch', () => {
    const { table } = tableOf()
    expect(table.touch('a', 100)).toBe(false)
    expect(table.size()).toBe(0)
  })

  it('tells when an entry expires, without using it', () => {
    const clock = manualClock()
    const table = createMemoryTable({ clock, maxEntries: 2, maxBytes: 10_000 })
    table.set('a', bytes('1'), 100)
    table.set('b', bytes('1'))
    expect(table.expiresAt('a')).toBe(clock.now() + 100)
    table.set('c', bytes('1'))
    expect(table.keys('').toSorted()).toEqual(['b', 'c'])
  })

  it('tells whether what it deletes was there', () => {
    const { table } = tableOf()
    table.set('a', bytes('1'))
    expect(table.delete('a')).toBe(true)
    expect(table.delete('a')).toBe(false)
  })

  it('gives the keys under a prefix, which is plain text', () => {
    const { table } = tableOf()
    for (const key of ['a:1', 'a:2', 'ab', 'a*', '*']) table.set(key, bytes('1'))
    expect(table.keys('a:').toSorted()).toEqual(['a:1', 'a:2'])
    expect(table.keys('a*')).toEqual(['a*'])
    expect(table.keys('')).toHaveLength(5)
  })

  it('keeps a copy: what is done to the bytes afterwards changes nothing', () => {
    const { table } = tableOf()
    const chunk = Buffer.from('xx1xx')
    table.set('a', chunk.subarray(2, 3))
    chunk.fill(0)
    expect(textOf(table.get('a'))).toBe('1')
    expect(table.get('a')!.buffer.byteLength).toBe(1)
  })

  it.each([0, -1, Number.NaN, Infinity])('refuses a ttl of %d and leaves what is there', (ttl) => {
    const { table } = tableOf()
    table.set('a', bytes('1'))
    expect(() => table.set('a', bytes('2'), ttl)).toThrow(/"ttl"/)
    expect(() => table.touch('a', ttl)).toThrow(/"ttl"/)
    expect(textOf(table.get('a'))).toBe('1')
  })

  it('forgets everything when it is cleared', () => {
    const { table } = tableOf()
    table.set('a', bytes('1'))
    table.clear()
    expect([table.get('a'), table.size(), table.bytes()]).toEqual([undefined, 0, 0])
  })
})

describe('the bounds of a memory table', () => {
  it('let the least recently used go: reading, writing and touching are uses', () => {
    const { table } = tableOf({ maxEntries: 4 })
    for (const key of ['read', 'written', 'touched', 'unused']) table.set(key, bytes('1'))
    table.get('read')
    table.set('written', bytes('2'))
    table.touch('touched', 1000)
    table.set('new', bytes('1'))
    expect(table.keys('').toSorted()).toEqual(['new', 'read', 'touched', 'written'])
  })

  it('count the bytes of keys and values, and a fixed overhead', () => {
    const { table } = tableOf()
    table.set('é', bytes('12345'))
    expect(table.bytes()).toBe(2 + 5 + entryOverhead)
    table.set('é', bytes('1'))
    expect(table.bytes()).toBe(2 + 1 + entryOverhead)
    table.delete('é')
    expect(table.bytes()).toBe(0)
  })

  it('hold for bytes as for entries', () => {
    const { table } = tableOf({ maxBytes: 3 * (entryOverhead + 101) })
    for (const key of ['a', 'b', 'c', 'd']) table.set(key, new Uint8Array(100))
    expect(table.keys('').toSorted()).toEqual(['b', 'c', 'd'])
    table.set('e', new Uint8Array(entryOverhead + 300))
    expect(table.keys('').toSorted()).toEqual(['e'])
  })

  it('refuse an entry that no room can be made for, and leave all that is there', () => {
    const maxBytes = 2000
    const { table } = tableOf({ maxBytes })
    table.set('a', bytes('1'))
    table.set('b', bytes('1'))
    const largest = maxBytes - entryOverhead - 1
    for (const key of ['a', 'c']) {
      expect(() => table.set(key, new Uint8Array(largest + 1))).toThrow(
        expect.objectContaining({
          code: 'ERR_HOLDFAST_VALUE_TOO_LARGE',
          message: expect.stringMatching(/2001.*2000/),
        }),
      )
    }
    expect(['a', 'b'].map((key) => textOf(table.get(key)))).toEqual(['1', '1'])
    table.set('c', new Uint8Array(largest))
    expect(table.keys('')).toEqual(['c'])
  })

  it('tell of what gave way, but not of what was replaced, deleted, cleared or had expired', async () => {
    const onEvict = vi.fn<() => void>()
    const { table, advance } = tableOf({ maxEntries: 2, onEvict })
    table.set('a', bytes('1'))
    table.set('a', bytes('2'))
    table.delete('a')
    table.set('b', bytes('1'), 1)
    table.set('c', bytes('1'))
    await advance(1)
    table.set('d', bytes('1'))
    expect(onEvict).toHaveBeenCalledTimes(0)
    table.set('e', bytes('1'))
    expect(onEvict).toHaveBeenCalledTimes(1)
    table.clear()
    expect(onEvict).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['maxEntries', 0],
    ['maxEntries', 1.5],
    ['maxEntries', 10_000_001],
    ['maxBytes', 1023],
    ['maxBytes', Number.NaN],
  ])('are refused by name: a %s of %d', (option, value) => {
    expect(() => tableOf({ [option]: value })).toThrow(`"${option}"`)
  })

  it('may be a single entry', () => {
    const { table } = tableOf({ maxEntries: 1, maxBytes: 1024 })
    table.set('a', bytes('1'))
    table.set('b', bytes('1'))
    expect(table.keys('')).toEqual(['b'])
  })
})

type Step =
  | { readonly do: 'set'; readonly key: string; readonly length: number; readonly ttl: number | undefined }
  | { readonly do: 'touch'; readonly key: string; readonly ttl: number }
  | { readonly do: 'get' | 'delete'; readonly key: string }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'keys' | 'clear' }

const key = fc.constantFrom('a', 'b', 'c', 'pre:d', 'pre:é', 'pre:f')
const ttl = fc.integer({ min: 1, max: 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set'),
      key,
      length: fc.nat(700),
      ttl: fc.option(ttl, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('get', 'delete'), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('touch'), key, ttl }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keys') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
)

/** The plainest thing that keeps the promises: a Map in order of use, walked each time. */
function createModel(maxEntries: number, maxBytes: number) {
  const held = new Map<string, { value: Uint8Array; expiresAt: number; size: number }>()
  const total = (): number => [...held.values()].reduce((sum, { size }) => sum + size, 0)
  let now = 0
  function use(name: string) {
    const entry = held.get(name)
    held.delete(name)
    if (!entry || entry.expiresAt <= now) return undefined
    held.set(name, entry)
    return entry
  }
  return {
    held,
    total,
    use,
    advance: (ms: number) => (now += ms),
    set(name: string, value: Uint8Array, life: number | undefined) {
      const size = Buffer.byteLength(name) + value.length + entryOverhead
      if (size > maxBytes) return false
      held.delete(name)
      held.set(name, { value, expiresAt: life === undefined ? Infinity : now + life, size })
      while (held.size > maxEntries || total() > maxBytes) held.delete([...held.keys()][0]!)
      return true
    },
    touch(name: string, life: number) {
      const entry = use(name)
      if (entry) entry.expiresAt = now + life
      return entry !== undefined
    },
    keys(prefix: string) {
      for (const [name, { expiresAt }] of held) if (expiresAt <= now) held.delete(name)
      return [...held.keys()].filter((name) => name.startsWith(prefix)).toSorted()
    },
  }
}

describe(`a memory table beside a model (seed ${seed})`, () => {
  it.each([
    [3, 1024 ** 2],
    [100, 3 * entryOverhead + 600],
  ])('does as the model does, with %d entries in %d bytes', async (maxEntries, maxBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = manualClock()
        const table = createMemoryTable({ clock, maxEntries, maxBytes })
        const model = createModel(maxEntries, maxBytes)
        for (const [i, one] of steps.entries()) {
          switch (one.do) {
            case 'set': {
              const value = new Uint8Array(one.length).fill(i)
              if (model.set(one.key, value, one.ttl)) table.set(one.key, value, one.ttl)
              else expect(() => table.set(one.key, value, one.ttl)).toThrow(/bound/)
              break
            }
            case 'get':
              expect(table.get(one.key)).toEqual(model.use(one.key)?.value)
              break
            case 'delete': {
              const was = model.use(one.key) !== undefined
              model.held.delete(one.key)
              expect(table.delete(one.key)).toBe(was)
              break
            }
            case 'touch':
              expect(table.touch(one.key, one.ttl)).toBe(model.touch(one.key, one.ttl))
              break
            case 'advance':
              model.advance(one.ms)
              await clock.advance(one.ms)
              break
            case 'keys':
              expect(table.keys('pre:').toSorted()).toEqual(model.keys('pre:'))
              break
            case 'clear':
              model.held.clear()
              table.clear()
          }
          expect([table.size(), table.bytes()]).toEqual([model.held.size, model.total()])
        }
        expect(table.keys('').toSorted()).toEqual(model.keys(''))
      }),
      { seed, numRuns: 400 },
    )
  })
})
