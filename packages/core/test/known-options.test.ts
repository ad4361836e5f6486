import { afterAll, describe, expect, it } from 'vitest'
import { createHoldfast, HoldfastError, type Holdfast } from '../src/index.ts'
import { holdfastOf } from '../src/adapter/held-holdfast.ts'
import { openSessions } from '../src/adapter/session-options.ts'

const shared = createHoldfast({ redis: 'memory', logger: false })
afterAll(() => shared.close())

type Door = (options: never) => unknown
const doors = {
  createHoldfast: (options: object) => createHoldfast({ redis: 'memory', logger: false, ...options }),
  sessions: (options) => shared.sessions(options),
  cache: (options) => shared.cache(options),
  entries: (options: object) => shared.entries({ concern: 'cache', ...options }),
} satisfies Record<string, Door>

function refusal(door: Door, options: unknown): string {
  try {
    door(options as never)
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_OPTION') return error.message
    throw error
  }
  return 'nothing was refused'
}

describe('options', () => {
  it.each<[keyof typeof doors, object, string]>([
    [
      'createHoldfast',
      { oprationTimeout: 's3cret' },
      'There is no option "oprationTimeout", only redis, backend,',
    ],
    ['createHoldfast', { host: 's3cret' }, 'There is no option "host": name the Redis by "redis".'],
    ['createHoldfast', { circuit: { trip: 5 } }, 'There is no option "circuit.trip", only tripAfter, probe,'],
    ['createHoldfast', { circuit: { probe: { mni: 5 } } }, '"circuit.probe.mni", only min, max.'],
    ['createHoldfast', { fallback: { maxEntrys: 5 } }, '"fallback.maxEntrys", only maxEntries, maxBytes.'],
    ['createHoldfast', { journal: null }, 'Option "journal" must be an object; got null.'],
    [
      'createHoldfast',
      { requireAtStart: 'yes' },
      'Option "requireAtStart" must be true or false; got "yes".',
    ],
    ['sessions', { touchAftr: 0.5 }, 'There is no option "touchAftr", only '],
    ['sessions', { url: 's3cret' }, 'There is no option "url", only '],
    ['sessions', { touchAfter: null }, 'Option "touchAfter" must be between 0 and 0.9; got null.'],
    ['cache', { tll: 5 }, 'There is no option "tll", only ttl, grace,'],
    ['cache', { format: 'json' }, 'There is no option "format"'],
    ['cache', { near: { maxEntrys: 5 } }, '"near.maxEntrys", only maxEntries, maxBytes, maxAge.'],
    ['cache', { near: [] }, 'Option "near" must be true or false or an object; got an array.'],
    ['cache', { factories: { maks: 5 } }, '"factories.maks", only max, waiting, patience.'],
    ['cache', { indexed: 'yes' }, 'Option "indexed" must be true or false; got "yes".'],
    ['cache', { rule: null }, 'Option "rule" must be "bypass" or "memory" or "refuse"; got null.'],
    ['cache', { eager: null }, 'Option "eager" must be a share from 0 to 1; got null.'],
    ['entries', { rules: 'memory' }, 'There is no option "rules", only '],
    ['entries', { concern: 'caches' }, 'Option "concern" must be "cache" or "session"; got "caches".'],
  ])('of %s that cannot be right are refused: %j', (door, options, message) => {
    const refused = refusal(doors[door], options)
    expect(refused).toContain(message)
    expect(refused).not.toContain('s3cret')
  })

  it.each(['sessions', 'cache', 'entries'] as const)('of %s on how values are written, too', (door) => {
    const of = (options: object): string => refusal(doors[door], options)
    expect(of({ limits: { foo: 5 } })).toBe('There is no option "limits.foo", only value, inflated.')
    expect(of({ limits: 5 })).toBe('Option "limits" must be an object; got 5.')
    expect(of({ compression: 'gzip' })).toBe('Option "compression" must be false or an object; got "text".')
    expect(of({ compression: { level: 5 } })).toContain('"compression.level"')
    expect(of({ encryption: 's3cret' })).toBe('Option "encryption" must be an object; got "text".')
    expect(of({ encryption: { key: 's3cret' } })).toBe(
      'There is no option "encryption.key", only keys, acceptPlaintext.',
    )
    expect(of({ encryption: null })).toContain('"encryption"')
  })

  it.each([
    ['a URL of a Redis', 'redis://u:s3cret@host'],
    ['null', null],
    ['a list', []],
  ])('that are none are refused: %s', (_name, options) => {
    const all = [createHoldfast, shared.sessions, shared.cache, shared.entries]
    for (const door of all) {
      const refused = refusal(door, options)
      expect(refused).toMatch(/^Option "options" must be an object; got/)
      expect(refused).not.toContain('s3cret')
    }
  })

  it('given as undefined are left out, also those that there are not', async () => {
    const none = {
      tll: undefined,
      prefix: undefined,
      compression: undefined,
      limits: { foo: undefined } as object,
    }
    const open: Holdfast = createHoldfast({
      redis: 'memory',
      logger: false,
      ...({ typo: undefined, circuit: undefined, requireAtStart: undefined } as object),
    })
    expect(
      await open.cache({ ...none, near: undefined, indexed: undefined, rule: undefined }).set('key', 1),
    ).toBe(true)
    expect(open.sessions({ ...none, continuity: undefined }).rule).toBe('memory')
    await open.close()
  })

  it('of an adapter, which takes those of a Holdfast and of its own together, are parted', async () => {
    const both = { redis: 'memory', logger: false, ttl: '5m', limits: { value: 5 } } as const
    const held = [holdfastOf(undefined, both), openSessions(both)]
    expect(held.map(({ holdfast }) => holdfast.health().backend)).toEqual(['memory', 'memory'])
    await Promise.all(held.map(({ close }) => close()))
  })
})
