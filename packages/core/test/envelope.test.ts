import { describe, expect, it } from 'vitest'
import {
  createEnvelopes,
  type EnvelopeOptions,
  type Envelopes,
  type Opened,
} from '../src/envelope/envelope.ts'
import { HoldfastError } from '../src/errors.ts'

const key = 'holdfast:session:abc'
const secrets = [
  'first secret, 32 characters long',
  'second secret, 32 characters too',
  'third secret, 32 characters also',
]
const envelopes = createEnvelopes()

function reopened(value: unknown, subject: Envelopes = envelopes): unknown {
  return valueOf(subject.open(key, subject.seal(key, value)))
}

function valueOf(opened: Opened): unknown {
  if (opened.status === 'opened') return opened.value
  throw new Error(JSON.stringify(opened))
}

function reasonOf(bytes: Uint8Array | string, subject: Envelopes = envelopes): string {
  const opened = subject.open(key, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  return opened.status === 'unreadable' ? opened.reason : opened.status
}

function changed(bytes: Uint8Array, at: number, to: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = to
  return copy
}

function errorOf(act: () => unknown): HoldfastError {
  try {
    act()
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const random = Buffer.from(Array.from({ length: 20_000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24))
const repetitive = { items: Array.from({ length: 400 }, (_, i) => ({ id: i, name: 'the same name' })) }

describe('an envelope', () => {
  it.each([
    ['an object', { user: 7, roles: ['a'], nested: { deep: null } }],
    ['an array', [1, 'two', null, { three: 3 }]],
    ['a number', -1.5e-7],
    ['null', null],
    ['undefined', undefined],
    ['true', true],
    ['an empty string', ''],
    ['a string', 'plain "quoted" \\ \n text'],
    ['a string beyond Latin', 'žluťoučký kůň 🐎 \ufffd'],
    ['a string with a lone surrogate', 'a\ud800b'],
    ['an empty object', {}],
  ])('gives back %s', (_, value) => {
    expect(reopened(value)).toStrictEqual(value)
  })

  it('tells undefined from null', () => {
    expect(reopened(undefined)).toBeUndefined()
    expect(reopened(null)).toBeNull()
  })

  it.each([
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ])('gives back %o as it was', (Kind) => {
    const value = new Kind([1, 2, 250.5])
    expect(reopened(value)).toStrictEqual(value)
    expect(reopened(new Kind(0))).toStrictEqual(new Kind(0))
  })

  it('gives back big integers of 64 bits, a DataView, an ArrayBuffer and a Buffer as they were', () => {
    for (const value of [
      new BigInt64Array([-1n, 2n ** 62n]),
      new BigUint64Array([2n ** 64n - 1n]),
      Buffer.from([0, 255]),
    ]) {
      expect(reopened(value)).toStrictEqual(value)
    }
    expect(reopened(new Uint8Array([1, 2]).buffer)).toStrictEqual(new Uint8Array([1, 2]).buffer)
    const view = reopened(new DataView(new Uint8Array([9, 8]).buffer))
    expect(view).toBeInstanceOf(DataView)
    expect((view as DataView).getUint8(1)).toBe(8)
  })

  it.runIf('Float16Array' in globalThis)('gives back a Float16Array as it was', () => {
    const { Float16Array: Half } = globalThis as unknown as {
      Float16Array: new (of: number[]) => ArrayBufferView
    }
    expect(reopened(new Half([1.5, -2]))).toStrictEqual(new Half([1.5, -2]))
  })

  it('keeps a Buffer apart from a Uint8Array', () => {
    expect(Buffer.isBuffer(reopened(Buffer.from('x')))).toBe(true)
    expect(Buffer.isBuffer(reopened(new Uint8Array(1)))).toBe(false)
  })

  it('stores the part of a buffer that a view shows, and no more', () => {
    const whole = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
    expect(reopened(whole.subarray(2, 4))).toStrictEqual(new Uint8Array([3, 4]))
    expect(reopened(new Uint16Array(whole.buffer, 2, 1))).toStrictEqual(
      new Uint16Array(whole.buffer.slice(2, 4)),
    )
  })

  it.each(['Buffer', 'Uint8Array', 'ArrayBuffer'])(
    'gives %s bytes of their own, whatever becomes of the reply',
    (kind) => {
      const bytes = Buffer.from([1, 2, 3])
      const value = {
        Buffer: bytes,
        Uint8Array: new Uint8Array(bytes),
        ArrayBuffer: new Uint8Array(bytes).buffer,
      }[kind]!
      const chunk = Buffer.concat([Buffer.alloc(1000), envelopes.seal(key, value)])
      const opened = valueOf(envelopes.open(key, chunk.subarray(1000)))
      chunk.fill(0xee)
      const buffer = opened instanceof ArrayBuffer ? opened : (opened as Uint8Array).buffer
      expect(buffer.byteLength).toBe(3)
      expect([...new Uint8Array(buffer)]).toEqual([1, 2, 3])
    },
  )

  it('does not change with the value that it was sealed from', () => {
    const value = Buffer.from([1, 2, 3])
    const bytes = envelopes.seal(key, value)
    value.fill(9)
    expect(valueOf(envelopes.open(key, bytes))).toStrictEqual(Buffer.from([1, 2, 3]))
  })

  it('opens bytes that are no Buffer', () => {
    expect(valueOf(envelopes.open(key, new Uint8Array(envelopes.seal(key, { a: 1 }))))).toEqual({ a: 1 })
  })

  it('carries revision and deadlines', () => {
    const meta = { revision: 1_735_689_600_000.25, stamp: 1_735_689_700_000, endsAt: 1_735_689_800_000 }
    expect(envelopes.open(key, envelopes.seal(key, 1, meta))).toEqual({
      status: 'opened',
      value: 1,
      bound: true,
      ...meta,
    })
  })

  it('has neither revision nor deadlines by default', () => {
    const nothing = { revision: 0, stamp: 0, endsAt: 0 }
    expect(envelopes.open(key, envelopes.seal(key, 1))).toEqual({
      status: 'opened',
      value: 1,
      bound: true,
      ...nothing,
    })
  })

  it('starts with a byte that no text has, and its version', () => {
    expect([...envelopes.seal(key, 1)].slice(0, 2)).toEqual([0xf5, 1])
  })

  it('is foreign under any other wire key', () => {
    const bytes = envelopes.seal(key, { a: 1 })
    for (const other of [
      '',
      'holdfast:session:abd',
      'holdfast:session:ab',
      'holdfast:session:acb',
      `${key} `,
    ]) {
      expect(envelopes.open(other, bytes)).toEqual({ status: 'foreign' })
    }
  })

  it('is foreign under each of 20,000 similar keys', () => {
    const bytes = envelopes.seal(key, 1)
    for (let i = 0; i < 20_000; i++) {
      if (envelopes.open(`holdfast:session:${i}`, bytes).status !== 'foreign')
        throw new Error(`${i} is taken for ${key}`)
    }
  })

  it('parses without a reviver: what looks like a Buffer stays what it is', () => {
    const value = { type: 'Buffer', data: [1, 2] }
    expect(reopened(value)).toStrictEqual(value)
  })
})

describe('a value without a form', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const deep: unknown[] = []
  for (let i = 0, at = deep; i < 100_000; i++) at.push((at = []))

  it.each([
    ['a cycle', cyclic, /refers to itself/],
    ['a BigInt', { secret: 1n }, /BigInt/],
    ['a function', () => 'secret', /function/],
    ['a symbol', Symbol('secret'), /symbol/],
    ['a toJSON that gives nothing', { toJSON: () => undefined }, /toJSON/],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('secret')
        },
      },
      /threw/,
    ],
    ['something nested too deeply', deep, /deeply/],
  ])('is refused: %s', (_, value, reason) => {
    for (const subject of [envelopes, createEnvelopes({ format: 'json' })]) {
      const error = errorOf(() => subject.seal(key, value))
      expect(error.code).toBe('ERR_HOLDFAST_NOT_SERIALISABLE')
      expect(error.message).toMatch(reason)
      expect(error.message).not.toContain('secret')
    }
  })

  it('keeps what was thrown as its cause', () => {
    expect(errorOf(() => envelopes.seal(key, cyclic)).cause).toBeInstanceOf(TypeError)
  })
})

describe('stored JSON', () => {
  it.each([
    '{"__proto__":{"admin":true},"a":1}',
    String.raw`{"\u005f_proto__":{"admin":true},"a":1}`,
    String.raw`{"__\u0070roto__":{"admin":true},"a":1}`,
    String.raw`{"__p\u0072\u006F\u0074o_\u005F":{"admin":true},"a":1}`,
  ])('never sets a prototype: %s', (text) => {
    const value = valueOf(envelopes.open(key, Buffer.from(text))) as { a: number }
    expect(Object.keys(value)).toEqual(['a'])
    expect(Object.assign({}, value)).not.toHaveProperty('admin')
  })

  it('has no own __proto__ at any depth, in an envelope too', () => {
    const text = '{"list":[{"__proto__":1,"b":[[{"__proto__":{"x":1},"c":{"__proto__":[]}}]]}]}'
    const expected = { list: [{ b: [[{ c: {} }]] }] }
    expect(valueOf(envelopes.open(key, Buffer.from(text)))).toStrictEqual(expected)
    expect(reopened(JSON.parse(text))).toStrictEqual(expected)
  })

  it('keeps the text __proto__ where it is a value', () => {
    expect(reopened({ text: '__proto__' })).toEqual({ text: '__proto__' })
    expect(reopened('{"__proto__":1}')).toBe('{"__proto__":1}')
  })

  it('is cleaned however deep it is nested', () => {
    const text = `${'['.repeat(200_000)}{"__proto__":1}${']'.repeat(200_000)}`
    let value = valueOf(envelopes.open(key, Buffer.from(text)))
    while (Array.isArray(value)) value = value[0]
    expect(value).toStrictEqual({})
  })
})

describe('plain JSON', () => {
  const session = { cookie: { originalMaxAge: 60_000, expires: '2030-01-01T00:00:00.000Z' }, user: 'é' }

  it.each([[{}], [{ format: 'json' as const }]])('is read whatever the options are: %j', (options) => {
    expect(createEnvelopes(options).open(key, Buffer.from(JSON.stringify(session)))).toEqual({
      status: 'opened',
      value: session,
      revision: 0,
      stamp: 0,
      endsAt: 0,
      bound: false,
    })
  })

  it.each(['garbage', '{"a":', '{"a":1}x', '\ufeff{}', 'undefined', '\u0000', 'NaN', ' '])(
    'is unreadable as %j',
    (text) => {
      expect(reasonOf(text)).toBe('not JSON')
    },
  )

  it('is unreadable where it is not UTF-8, as the text would not be what was written', () => {
    expect(reasonOf(Buffer.from([0x22, 0xe9, 0x22]))).toBe('not JSON')
    expect(valueOf(envelopes.open(key, Buffer.from('"\ufffd"')))).toBe('\ufffd')
  })

  it('is unreadable when there is nothing', () => {
    expect(reasonOf('')).toBe('empty')
  })

  it('is unreadable beyond the bound on what is read', () => {
    const small = createEnvelopes({ limits: { value: 10, inflated: 10 } })
    expect(reasonOf('"12345678"', small)).toBe('opened')
    expect(reasonOf('"123456789"', small)).toBe('too large')
  })
})

describe('the format json', () => {
  const plain = createEnvelopes({ format: 'json', compression: { threshold: 0 } })

  it('writes what connect-redis reads, never compressed', () => {
    for (const value of [{ a: 1 }, 'text', null, repetitive]) {
      expect(Buffer.from(plain.seal(key, value, { revision: 5 })).toString()).toBe(JSON.stringify(value))
    }
  })

  it('reads envelopes', () => {
    expect(valueOf(plain.open(key, createEnvelopes().seal(key, repetitive)))).toEqual(repetitive)
  })

  it.each([[undefined], [Buffer.from('x')], [new Uint8Array(2)], [new ArrayBuffer(2)]])(
    'refuses %o, which it would not give back',
    (value) => {
      expect(errorOf(() => plain.seal(key, value)).code).toBe('ERR_HOLDFAST_NOT_SERIALISABLE')
    },
  )

  it('keeps to the size limit', () => {
    const small = createEnvelopes({ format: 'json', limits: { value: 10 } })
    expect(small.seal(key, '12345678')).toHaveLength(10)
    expect(errorOf(() => small.seal(key, '123456789')).code).toBe('ERR_HOLDFAST_VALUE_TOO_LARGE')
  })
})

describe('the size limit', () => {
  it('refuses a value beyond it and says size and limit', () => {
    const small = createEnvelopes({ limits: { value: 100 } })
    expect(reopened('x'.repeat(100), small)).toBe('x'.repeat(100))
    expect(reopened(Buffer.alloc(100), small)).toEqual(Buffer.alloc(100))
    for (const value of ['x'.repeat(101), 'é'.repeat(51), Buffer.alloc(101), ['x'.repeat(97)]]) {
      const error = errorOf(() => small.seal(key, value))
      expect(error.code).toBe('ERR_HOLDFAST_VALUE_TOO_LARGE')
      expect(error.message).toMatch(/10[12] bytes.*100/)
    }
  })

  it('counts the bytes before compression, 8 MB by default', () => {
    expect(envelopes.seal(key, 'x'.repeat(8 * 1024 ** 2)).length).toBeLessThan(10_000)
    expect(errorOf(() => envelopes.seal(key, 'x'.repeat(8 * 1024 ** 2 + 1))).code).toBe(
      'ERR_HOLDFAST_VALUE_TOO_LARGE',
    )
  })
})

describe('bytes that are no envelope', () => {
  const bytes = envelopes.seal(key, { a: 1 })

  it('are unreadable when cut off anywhere in the header', () => {
    for (let length = 1; length < 36; length++) expect(reasonOf(bytes.subarray(0, length))).toBe('truncated')
    expect(reasonOf(bytes.subarray(0, 36))).toBe('damaged payload')
  })

  it('are unreadable in a version to come', () => {
    for (const version of [0, 2, 255]) expect(reasonOf(changed(bytes, 1, version))).toBe('unknown version')
  })

  it('are unreadable with flags that mean nothing yet', () => {
    for (let kind = 19; kind < 32; kind++) expect(reasonOf(changed(bytes, 2, kind))).toBe('unknown kind')
    expect(reasonOf(changed(bytes, 2, 3 << 5))).toBe('unknown codec')
    expect(reasonOf(changed(bytes, 3, 1))).toBe('damaged header')
    expect(reasonOf(changed(bytes, 2, 0x80))).toBe('encrypted')
  })

  it('are unreadable with a revision or deadline that cannot be', () => {
    for (const at of [12, 20, 28]) {
      for (const bad of [-1, Number.NaN]) {
        const damaged = Buffer.from(bytes)
        damaged.writeDoubleBE(bad, at)
        expect(reasonOf(damaged)).toBe('damaged header')
      }
    }
  })

  it('are unreadable where the payload does not fit its kind', () => {
    expect(reasonOf(Buffer.concat([envelopes.seal(key, undefined), Buffer.from('x')]))).toBe(
      'damaged payload',
    )
    expect(reasonOf(envelopes.seal(key, new Float64Array(1)).subarray(0, 40))).toBe('damaged payload')
    expect(reasonOf(changed(envelopes.seal(key, 'aé'), 38, 0x20))).toBe('damaged payload')
  })
})

describe('encryption', () => {
  const sealed = createEnvelopes({ encryption: { keys: secrets } })
  const plain = createEnvelopes()

  it.each([[{ a: 1 }], ['text'], [undefined], [Buffer.from([1, 2])], [repetitive], [random]])(
    'gives back %o',
    (value) => {
      expect(reopened(value, sealed)).toStrictEqual(value)
    },
  )

  it('leaves nothing of the value to read, and never seals twice alike', () => {
    const value = 'a secret that would be seen'
    const one = Buffer.from(sealed.seal(key, value))
    expect(one.includes('secret')).toBe(false)
    expect(one.equals(sealed.seal(key, value))).toBe(false)
  })

  it('opens with every key of the ring, in whatever order', () => {
    const bytes = createEnvelopes({ encryption: { keys: [secrets[2]!] } }).seal(key, 1)
    expect(valueOf(sealed.open(key, bytes))).toBe(1)
  })

  it('seals with the first key', () => {
    const bytes = sealed.seal(key, 1)
    expect(valueOf(createEnvelopes({ encryption: { keys: [secrets[0]!] } }).open(key, bytes))).toBe(1)
    expect(reasonOf(bytes, createEnvelopes({ encryption: { keys: secrets.slice(1) } }))).toBe(
      'unknown encryption key',
    )
  })

  it('opens with keys that share an id', () => {
    const ids = new Map<number, string>()
    for (let i = 0; ; i++) {
      const secret = `a secret of 32 characters or more ${i}`
      const id = createEnvelopes({ encryption: { keys: [secret] } }).seal(key, 1)[3]!
      const twin = ids.get(id)
      ids.set(id, secret)
      if (twin === undefined) continue
      const both = createEnvelopes({ encryption: { keys: [twin, secret] } })
      expect(valueOf(both.open(key, createEnvelopes({ encryption: { keys: [secret] } }).seal(key, i)))).toBe(
        i,
      )
      expect(
        reasonOf(
          createEnvelopes({ encryption: { keys: [twin] } }).seal(key, i),
          createEnvelopes({ encryption: { keys: [secret] } }),
        ),
      ).toBe('does not decrypt')
      return
    }
  })

  it('takes bytes for a key as well as text', () => {
    const bytes = createEnvelopes({ encryption: { keys: [Buffer.from(secrets[0]!)] } }).seal(key, 1)
    expect(valueOf(sealed.open(key, bytes))).toBe(1)
  })

  it('is unreadable without a key', () => {
    expect(reasonOf(sealed.seal(key, 1))).toBe('encrypted')
  })

  it('refuses plain entries unless it accepts them', () => {
    const accepting = createEnvelopes({ encryption: { keys: secrets, acceptPlaintext: true } })
    for (const bytes of [plain.seal(key, 1), Buffer.from('1')]) {
      expect(reasonOf(bytes, sealed)).toBe('not encrypted')
      expect(valueOf(accepting.open(key, bytes))).toBe(1)
    }
    expect(accepting.seal(key, 1)[2]! & 0x80).toBe(0x80)
  })

  it('is foreign under another wire key', () => {
    expect(sealed.open(`${key}x`, sealed.seal(key, 1))).toEqual({ status: 'foreign' })
  })

  it("cannot be moved to another key, even with that key's check", () => {
    const bytes = Buffer.from(sealed.seal(key, 1))
    bytes.set(plain.seal(`${key}x`, 1).subarray(4, 12), 4)
    expect(sealed.open(`${key}x`, bytes)).toEqual({ status: 'unreadable', reason: 'does not decrypt' })
  })

  it('cannot have a byte of it altered', () => {
    const bytes = sealed.seal(key, { a: 1 }, { revision: 1, stamp: 2, endsAt: 3 })
    const accepting = createEnvelopes({ encryption: { keys: secrets, acceptPlaintext: true } })
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = changed(bytes, at, bytes[at]! ^ (1 << bit))
        expect(sealed.open(key, altered).status).not.toBe('opened')
        expect(accepting.open(key, altered).status).not.toBe('opened')
      }
    }
  })

  it('is unreadable when cut off', () => {
    const bytes = sealed.seal(key, 1)
    for (let length = 36; length < bytes.length; length++) {
      expect(reasonOf(bytes.subarray(0, length), sealed)).toBe('does not decrypt')
    }
  })

  it.each([
    [[]],
    [['short']],
    [[secrets[0], 'x'.repeat(31)]],
    [[Buffer.alloc(31)]],
    [[7]],
    ['x'.repeat(40)],
    [undefined],
  ])('refuses the keys %j without showing them', (keys) => {
    const error = errorOf(() => createEnvelopes({ encryption: { keys: keys as string[] } }))
    expect(error.code).toBe('ERR_HOLDFAST_OPTION')
    expect(error.message).toMatch(/"encryption\.keys/)
    expect(error.message).not.toMatch(/first secret|xxx|short|7/)
  })
})

describe('the options of envelopes', () => {
  it.each<[string, EnvelopeOptions]>([
    ['format', { format: 'xml' as 'json' }],
    ['encryption', { format: 'json', encryption: { keys: secrets } }],
    ['compression.threshold', { compression: { threshold: -1 } }],
    ['compression.codec', { compression: { codec: 'gzip' as 'zstd' } }],
    ['limits.value', { limits: { value: 0 } }],
    ['limits.value', { limits: { value: '1GB' } }],
    ['limits.inflated', { limits: { value: '2MB', inflated: '1MB' } }],
  ])('are refused by name: %s', (option, options) => {
    expect(errorOf(() => createEnvelopes(options)).message).toContain(`"${option}"`)
  })

  it('let what may be written be read, however large', () => {
    const large = createEnvelopes({ limits: { value: '40MB' } })
    const value = 'x'.repeat(36 * 1024 ** 2)
    expect(reopened(value, large) === value).toBe(true)
    expect(reasonOf(large.seal(key, value))).toBe('too large')
  })
})
