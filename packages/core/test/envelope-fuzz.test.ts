import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEnvelopes, type Envelopes } from '../src/envelope/envelope.ts'
import { Scoped } from '../src/envelope/scoped.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const keys = ['a secret of 32 characters or more']
const subjects: readonly (readonly [string, Envelopes])[] = [
  ['plain', createEnvelopes()],
  ['compressed by zstd', createEnvelopes({ compression: { threshold: 0, codec: 'zstd' } })],
  ['compressed by brotli', createEnvelopes({ compression: { threshold: 0, codec: 'brotli' } })],
  ['encrypted', createEnvelopes({ encryption: { keys } })],
  ['compressed and encrypted', createEnvelopes({ compression: { threshold: 0 }, encryption: { keys } })],
  ['encrypted, accepting plaintext', createEnvelopes({ encryption: { keys, acceptPlaintext: true } })],
]

const wireKey = fc.string({ unit: 'binary', maxLength: 60 })
const value = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constant(undefined),
  fc.uint8Array(),
  fc.float64Array(),
  fc.constant('so many words '.repeat(50)),
)
const time = fc.double({ min: 0, noNaN: true })
const meta = fc.record({ revision: time, stamp: time, endsAt: time })

interface Damage {
  readonly kind: 'flip' | 'cut' | 'insert' | 'set'
  readonly at: number
  readonly byte: number
}

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'insert', 'set'),
  // Half of it where the header is.
  at: fc.oneof(fc.integer({ min: 0, max: 48 }), fc.nat(5000)),
  byte: fc.integer({ min: 1, max: 255 }),
})

function damaged(bytes: Uint8Array, { kind, at, byte }: Damage): Buffer {
  const copy = Buffer.from(bytes)
  const where = at % copy.length
  if (kind === 'cut') return copy.subarray(0, where)
  if (kind === 'insert')
    return Buffer.concat([copy.subarray(0, where), Buffer.from([byte]), copy.subarray(where)])
  copy[where] = kind === 'flip' ? copy[where]! ^ byte : byte
  return copy
}

/** What JSON keeps of a value; the other kinds are kept as they are. */
function kept(given: unknown): unknown {
  if (given === undefined || ArrayBuffer.isView(given)) return given
  return JSON.parse(JSON.stringify(given), (key, inner: unknown) => inner)
}

describe(`envelopes under fuzzing (seed ${seed})`, () => {
  it.each(subjects)('give back any value and its times: %s', (_, envelopes) => {
    fc.assert(
      fc.property(wireKey, value, meta, (key, given, times) => {
        fc.pre(!JSON.stringify(given)?.includes('__proto__'))
        const opened = envelopes.open(key, envelopes.seal(key, given, times))
        expect(opened).toStrictEqual({ status: 'opened', value: kept(given), ...times, bound: true })
      }),
      { seed, numRuns: 500 },
    )
  })

  it.each(subjects)('give back what a value hangs on: %s', (_, envelopes) => {
    const tag = fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1 }))
    const scoped = fc.tuple(value, fc.integer({ min: 1 }), fc.array(tag, { maxLength: 5 }))
    fc.assert(
      fc.property(wireKey, scoped, damage, (key, [given, generation, tags], one) => {
        fc.pre(!JSON.stringify([given, tags])?.includes('__proto__'))
        const bytes = envelopes.seal(key, new Scoped(given, generation, tags))
        const opened = envelopes.open(key, bytes)
        expect(opened).toMatchObject({ value: { value: kept(given), generation, tags: kept(tags) } })
        expect(opened.status === 'opened' && opened.value).toBeInstanceOf(Scoped)
        expect(['opened', 'foreign', 'unreadable']).toContain(envelopes.open(key, damaged(bytes, one)).status)
      }),
      { seed, numRuns: 500 },
    )
  })

  it.each(subjects)('never throw for damaged bytes: %s', (_, envelopes) => {
    fc.assert(
      fc.property(wireKey, value, fc.array(damage, { minLength: 1, maxLength: 3 }), (key, given, damages) => {
        let bytes = envelopes.seal(key, given)
        for (const one of damages) bytes = bytes.length === 0 ? bytes : damaged(bytes, one)
        expect(['opened', 'foreign', 'unreadable']).toContain(envelopes.open(key, bytes).status)
      }),
      { seed, numRuns: 2000 },
    )
  })

  it.each(subjects.filter(([name]) => name.includes('encrypted')))(
    'never yield anything but the value: %s',
    (_, envelopes) => {
      fc.assert(
        fc.property(wireKey, value, meta, damage, (key, given, times, one) => {
          const bytes = envelopes.seal(key, given, times)
          const changed = damaged(bytes, one)
          fc.pre(!changed.equals(bytes))
          expect(envelopes.open(key, changed).status).not.toBe('opened')
        }),
        { seed, numRuns: 3000 },
      )
    },
  )

  it.each(subjects)('never throw for random bytes, with and without a header: %s', (_, envelopes) => {
    const header = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(wireKey, fc.uint8Array({ maxLength: 200 }), header, (key, noise, [flags, keyId]) => {
        expect(['opened', 'unreadable', 'foreign']).toContain(envelopes.open(key, noise).status)
        const forged = Buffer.from(envelopes.seal(key, 1))
        forged[2] = flags
        forged[3] = keyId
        const opened = envelopes.open(key, Buffer.concat([forged.subarray(0, 36), noise]))
        expect(['opened', 'unreadable']).toContain(opened.status)
      }),
      { seed, numRuns: 2000 },
    )
  })

  it.each(subjects)('are foreign under any other key: %s', (_, envelopes) => {
    fc.assert(
      fc.property(wireKey, wireKey, value, (key, other, given) => {
        fc.pre(key !== other)
        expect(envelopes.open(other, envelopes.seal(key, given))).toEqual({ status: 'foreign' })
      }),
      { seed, numRuns: 1000 },
    )
  })
})
