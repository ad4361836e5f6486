import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyspace, escapeGlob, joinPrefix, validatePrefix } from '../src/keys.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const prefix = 'holdfast:session:'

function codeOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return undefined
}

describe('a keyspace', () => {
  const { wireKey, keyOf } = createKeyspace({ prefix })

  it('puts its prefix before a key and takes it off again', () => {
    expect(wireKey('abc')).toBe('holdfast:session:abc')
    expect(keyOf('holdfast:session:abc')).toBe('abc')
  })

  it('knows no key of another keyspace', () => {
    expect(keyOf('holdfast:cache:abc')).toBeUndefined()
    expect(keyOf(prefix)).toBeUndefined()
    expect(keyOf('')).toBeUndefined()
  })

  it('keeps a key of as many UTF-8 bytes as the limit, and hashes one of a byte more', () => {
    const { wireKey: short } = createKeyspace({ prefix, limit: 64 })
    for (const exact of ['x'.repeat(64), 'é'.repeat(32), '€'.repeat(21) + 'x']) {
      expect(short(exact)).toBe(prefix + exact)
      expect(short(`${exact}x`)).toMatch(/^holdfast:session:#[\w-]{43}$/)
    }
  })

  it('has a limit of 512 bytes by default', () => {
    expect(wireKey('x'.repeat(512))).toHaveLength(prefix.length + 512)
    expect(wireKey('x'.repeat(513))).toHaveLength(prefix.length + 44)
  })

  it('gives no key back for one that was hashed', () => {
    expect(keyOf(wireKey('x'.repeat(600)))).toBeUndefined()
  })

  it('gives a hashed key the same wire key each time', () => {
    const long = 'x'.repeat(600)
    expect(wireKey(long)).toBe('holdfast:session:#J9KGUs7XxI2NlhYAYLWJl9ihoJKit1vCoXtLg-5HI64')
    expect(wireKey(long)).toBe(createKeyspace({ prefix }).wireKey(long))
  })

  it('lets no caller pick the wire key of a hashed key', () => {
    const hashed = wireKey('x'.repeat(600))
    expect(wireKey(hashed.slice(prefix.length))).not.toBe(hashed)
    expect(wireKey('#')).not.toBe(`${prefix}#`)
  })

  it('keeps keys apart that differ in a lone surrogate only', () => {
    const keys = ['a\ud800', 'a\ud801', 'a\udc00', 'a\ufffd', 'a\ud800\udc00']
    expect(new Set(keys.map((key) => Buffer.from(wireKey(key)).toString())).size).toBe(keys.length)
    const long = 'x'.repeat(600)
    expect(wireKey(`${long}\ud800`)).not.toBe(wireKey(`${long}\ufffd`))
  })

  it(`never gives two keys one wire key, and gives back what it did not hash (seed ${seed})`, () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
      fc
        .array(fc.integer({ min: 0xd700, max: 0xe0ff }), { minLength: 1, maxLength: 4 })
        .map((u) => String.fromCharCode(...u)),
      fc.string({ minLength: 1 }).map((text) => `#${text}`),
      fc.string({ minLength: 60, maxLength: 70 }),
    )
    const short = createKeyspace({ prefix, limit: 64 })
    fc.assert(
      fc.property(key, key, (a, b) => {
        const wire = short.wireKey(a)
        expect(Buffer.from(wire).equals(Buffer.from(short.wireKey(b)))).toBe(a === b)
        expect([a, undefined]).toContain(short.keyOf(wire))
        if (Buffer.byteLength(a) <= 64 && a.isWellFormed() && a[0] !== '#') expect(short.keyOf(wire)).toBe(a)
      }),
      { seed, numRuns: 2000 },
    )
  })

  it('accepts a key of 64 kB, and none beyond', () => {
    expect(wireKey('x'.repeat(65_536))).toMatch(/#/)
    expect(codeOf(() => wireKey('x'.repeat(65_537)))).toBe('ERR_HOLDFAST_KEY')
    expect(codeOf(() => wireKey('€'.repeat(21_846)))).toBe('ERR_HOLDFAST_KEY')
  })

  it.each([[''], [undefined], [null], [7], [{}]])('refuses %j as a key', (key) => {
    expect(codeOf(() => wireKey(key as string))).toBe('ERR_HOLDFAST_KEY')
  })

  it('never shows a key in an error', () => {
    expect(() => wireKey('secret'.repeat(20_000))).toThrow(/^(?!.*secret).*at most 65536 bytes/)
  })

  it.each([63, 65_537, Number.NaN, '1MB'])('refuses a limit of %j', (limit) => {
    expect(() => createKeyspace({ prefix, limit })).toThrow(/"limit"/)
  })

  it('takes limits from 64 to 65,536 bytes, with a unit too', () => {
    expect(createKeyspace({ prefix, limit: '64kB' }).wireKey('x'.repeat(65_536))).toHaveLength(
      prefix.length + 65_536,
    )
    expect(createKeyspace({ prefix, limit: 64 }).prefix).toBe(prefix)
  })
})

describe('a prefix', () => {
  it.each(['a', 'holdfast', 'shop:{eu}', 'é'.repeat(64)])('may be %j', (value) => {
    expect(validatePrefix('prefix', value)).toBe(value)
  })

  it.each([
    '',
    'a b',
    'a\tb',
    'a\u0000',
    'a\u007f',
    'a\u0085',
    'a\u00a0b',
    '\ud800',
    'x'.repeat(129),
    'é'.repeat(65),
    5,
    undefined,
  ])('is refused as %j, by the name of its option', (value) => {
    expect(() => validatePrefix('session.prefix', value)).toThrow(/"session\.prefix"/)
    expect(codeOf(() => createKeyspace({ prefix: value as string }))).toBe('ERR_HOLDFAST_OPTION')
  })

  it('is joined to a concern', () => {
    expect(joinPrefix('shop', 'session')).toBe('shop:session:')
  })
})

describe('escapeGlob', () => {
  it('leaves plain text as it is', () => {
    expect(escapeGlob('holdfast:session:{a}_1')).toBe('holdfast:session:{a}_1')
  })

  it('escapes what means something in a pattern', () => {
    expect(escapeGlob('a*b?c[d-e^f]g\\h')).toBe(String.raw`a\*b\?c\[d\-e\^f\]g\\h`)
  })
})
