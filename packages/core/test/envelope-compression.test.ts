import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codecs, createCompression, tooLarge } from '../src/envelope/compression.ts'
import { createEnvelopes, type EnvelopeOptions } from '../src/envelope/envelope.ts'

const key = 'holdfast:cache:page'
const text = JSON.stringify(Array.from({ length: 400 }, (_, i) => ({ id: i, name: 'the same name' })))
const withoutZstd = {
  brotliCompressSync: zlib.brotliCompressSync,
  brotliDecompressSync: zlib.brotliDecompressSync,
}

function codecOf(options: EnvelopeOptions, value: unknown): number {
  return (createEnvelopes(options).seal(key, value)[2]! >> 5) & 3
}

describe('compression', () => {
  it.each(['zstd', 'brotli'] as const)('gives back what %s made smaller', (codec) => {
    const envelopes = createEnvelopes({ compression: { codec, threshold: '4kB' } })
    for (const value of [text, JSON.parse(text), Buffer.from(text), new Float64Array(1000)]) {
      const bytes = envelopes.seal(key, value)
      expect((bytes[2]! >> 5) & 3).toBe(codecs[codec])
      expect(bytes.length).toBeLessThan(3000)
      expect(createEnvelopes({ compression: false }).open(key, bytes)).toMatchObject({
        status: 'opened',
        value,
      })
    }
  })

  it('gives binary values bytes of their own', () => {
    const envelopes = createEnvelopes()
    const opened = envelopes.open(key, envelopes.seal(key, Buffer.alloc(5000)))
    expect((opened as { value: Buffer }).value.buffer.byteLength).toBe(5000)
  })

  it('starts at 8 kB by default', () => {
    expect(codecOf({}, 'x'.repeat(8191))).toBe(codecs.none)
    expect(codecOf({}, 'x'.repeat(8192))).toBe(codecs.zstd)
    expect(codecOf({}, 'é'.repeat(4095))).toBe(codecs.none)
    expect(codecOf({}, 'é'.repeat(4096))).toBe(codecs.zstd)
  })

  it('starts where it is told to; 0 tries everything', () => {
    expect(codecOf({ compression: { threshold: '1kB' } }, 'x'.repeat(1023))).toBe(codecs.none)
    expect(codecOf({ compression: { threshold: '1kB' } }, 'x'.repeat(1024))).toBe(codecs.zstd)
    expect(codecOf({ compression: { threshold: 0 } }, 'x'.repeat(100))).toBe(codecs.zstd)
    expect(codecOf({ compression: { threshold: 0 } }, '')).toBe(codecs.none)
  })

  it('can be turned off', () => {
    expect(codecOf({ compression: false }, text)).toBe(codecs.none)
  })

  it('is left out where it saves less than 15 %', () => {
    const noise = (share: number): Buffer => {
      const bytes = Buffer.alloc(10_000)
      for (let i = 0, x = 1; i < share * bytes.length; i++)
        bytes[i] = (x = Math.imul(x, 1664525) + 1013904223) >>> 24
      return bytes
    }
    expect(codecOf({}, noise(1))).toBe(codecs.none)
    expect(codecOf({}, noise(0.87))).toBe(codecs.none)
    expect(codecOf({}, noise(0.83))).toBe(codecs.zstd)
  })

  it('inflates no further than the bound, whatever is declared', () => {
    const { inflate } = createCompression({}, 1_000_000)
    const params = { [zlib.constants.ZSTD_c_windowLog]: 17 }
    const zstd = (bytes: Buffer): Buffer => zlib.zstdCompressSync(bytes, { params })
    for (const [codec, compress] of [
      ['zstd', zstd],
      ['brotli', zlib.brotliCompressSync],
    ] as const) {
      const bomb = (declared: number): Buffer => {
        const head = Buffer.alloc(4)
        head.writeUInt32BE(declared)
        return Buffer.concat([head, compress(Buffer.alloc(50_000_000))])
      }
      expect(() => inflate(codecs[codec], bomb(50_000_000))).toThrow(tooLarge)
      expect(() => inflate(codecs[codec], bomb(1_000_001))).toThrow(tooLarge)
      expect(() => inflate(codecs[codec], bomb(1_000_000))).toThrow(/larger than/)
      expect(() => inflate(codecs[codec], bomb(0))).toThrow(/larger than/)
    }
  })

  it('refuses a zstd frame that asks for more memory than the bound', () => {
    const { inflate } = createCompression({}, 1_000_000)
    const params = { [zlib.constants.ZSTD_c_windowLog]: 27 }
    const huge = zlib.zstdCompressSync(Buffer.alloc(200_000_000), { params })
    expect(() => inflate(codecs.zstd, Buffer.concat([Buffer.from([0, 0, 0, 9]), huge]))).toThrow(/memory/)
  })

  it('reads up to the bound, and calls what is beyond too large', () => {
    const bytes = createEnvelopes().seal(key, 'x'.repeat(10_000))
    const bounded = (inflated: number): unknown =>
      createEnvelopes({ limits: { value: 1, inflated } }).open(key, bytes)
    expect(bounded(10_000)).toMatchObject({ status: 'opened' })
    expect(bounded(9999)).toEqual({ status: 'unreadable', reason: 'too large' })
  })

  it.each(['zstd', 'brotli'] as const)(
    'calls a payload of %s that is cut or mislabelled damaged',
    (codec) => {
      const envelopes = createEnvelopes({ compression: { codec } })
      const bytes = Buffer.from(envelopes.seal(key, text))
      const damaged = { status: 'unreadable', reason: 'damaged payload' }
      for (const length of [36, 39, 40, 60, bytes.length - 1]) {
        expect(envelopes.open(key, bytes.subarray(0, length))).toEqual(damaged)
      }
      bytes.writeUInt32BE(bytes.readUInt32BE(36) + 1, 36)
      expect(envelopes.open(key, bytes)).toEqual(damaged)
    },
  )
})

describe('a Node without zstd', () => {
  it('writes brotli', () => {
    const compression = createCompression({}, 1_000_000, withoutZstd)
    const deflated = compression.deflate(Buffer.from(text))!
    expect(deflated.codec).toBe(codecs.brotli)
    expect(compression.inflate(deflated.codec, Buffer.from(deflated.bytes)).toString()).toBe(text)
  })

  it('cannot read zstd and says so', () => {
    const { reads } = createCompression({}, 1_000_000, withoutZstd)
    expect([codecs.brotli, codecs.zstd, 3].map((codec) => reads(codec))).toEqual([true, false, false])
    expect([1, 2, 3].map((codec) => createCompression({}, 1_000_000).reads(codec))).toEqual([
      true,
      true,
      false,
    ])
  })

  it('refuses to be told to write it', () => {
    expect(() => createCompression({ codec: 'zstd' }, 1_000_000, withoutZstd)).toThrow(
      /"compression\.codec".*brotli/,
    )
  })
})
