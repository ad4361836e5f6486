/**
 * Writes the golden envelopes of a format version: bytes that every later version must read. What exists is never
 * written again: a released version's bytes are what they were. Run: `node --conditions=@holdfast/source scripts/write-golden.ts`
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createEnvelopes, type EnvelopeOptions } from '@holdfast/core'

/** One golden envelope, as the manifest lists it. */
interface GoldenEntry {
  readonly file: string
  readonly wireKey: string
  /** The value's kind, and the value: as JSON, or the hex of its bytes. */
  readonly kind: string
  readonly json?: unknown
  readonly hex?: string
  /** Which of the manifest's keys sealed it; absent: not encrypted. */
  readonly sealedWith?: string
  readonly revision: number
  readonly stamp: number
  readonly endsAt: number
  readonly bound: boolean
}

interface Case {
  readonly name: string
  readonly value: unknown
  readonly options?: EnvelopeOptions
  readonly sealedWith?: 'old' | 'new'
  readonly wireKey?: string
}

const folder = new URL('../test-fixtures/golden/v1/', import.meta.url)
const keys = {
  new: 'golden key of the year 2026, not secret',
  old: 'golden key of the year 2025, not secret',
}
const meta = { revision: 1_767_225_600_000.5, stamp: 1_767_225_660_000, endsAt: 1_767_312_000_000 }
const none = { revision: 0, stamp: 0, endsAt: 0 }

const session = {
  cookie: { originalMaxAge: 1_800_000, expires: '2026-01-01T00:30:00.000Z', httpOnly: true, path: '/' },
  user: { id: 7, name: 'Žofie 🐎' },
}
const list = Array.from({ length: 120 }, (_, i) => `item ${i % 10}`)
const html = '<li class="item">plain, žluťoučký, 馬, 🐎</li>\n'.repeat(40)
const bytes = new Uint8Array(Array.from({ length: 32 }, (_, i) => i * 8))

const cases: readonly Case[] = [
  { name: 'json-object', value: session },
  { name: 'json-array', value: [1, 'two', null, false] },
  { name: 'json-number', value: -1.5e-7 },
  { name: 'json-null', value: null },
  { name: 'json-lone-surrogate', value: 'a\ud800b' },
  {
    name: 'json-hashed-key',
    value: 1,
    wireKey: 'holdfast:cache:#J9KGUs7XxI2NlhYAYLWJl9ihoJKit1vCoXtLg-5HI64',
  },
  { name: 'json-key-beyond-latin', value: 1, wireKey: 'holdfast:cache:kůň-馬-🐎' },
  { name: 'string', value: 'plain "text", žluťoučký, 馬, 🐎' },
  { name: 'string-empty', value: '' },
  { name: 'undefined', value: undefined },
  { name: 'buffer', value: Buffer.from(bytes) },
  { name: 'buffer-empty', value: Buffer.alloc(0) },
  { name: 'array-buffer', value: bytes.buffer },
  { name: 'data-view', value: new DataView(bytes.buffer) },
  ...[
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float16Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((Kind) => ({
    name: Kind.name.toLowerCase().replace(/array$/, '-array'),
    value: new Kind(bytes.buffer),
  })),
  ...(['zstd', 'brotli'] as const).flatMap((codec) => [
    { name: `${codec}-json`, value: list, options: { compression: { codec, threshold: '1kB' } } },
    { name: `${codec}-string`, value: html, options: { compression: { codec, threshold: '1kB' } } },
    {
      name: `${codec}-buffer`,
      value: Buffer.alloc(1500, 'golden '),
      options: { compression: { codec, threshold: '1kB' } },
    },
    {
      name: `${codec}-encrypted`,
      value: list,
      options: { compression: { codec, threshold: '1kB' } },
      sealedWith: 'new' as const,
    },
  ]),
  { name: 'encrypted-json', value: session, sealedWith: 'new' },
  { name: 'encrypted-string', value: 'plain text', sealedWith: 'new' },
  { name: 'encrypted-buffer', value: Buffer.from(bytes), sealedWith: 'new' },
  { name: 'encrypted-undefined', value: undefined, sealedWith: 'new' },
  { name: 'encrypted-old-key', value: session, sealedWith: 'old' },
  { name: 'plain-json', value: session, options: { format: 'json' } },
]

function write({ name, value, options, sealedWith, wireKey = `holdfast:golden:${name}` }: Case): GoldenEntry {
  const encryption = sealedWith === undefined ? undefined : { keys: [keys[sealedWith]] }
  const bound = options?.format !== 'json'
  const file = `${name}.bin`
  writeFileSync(new URL(file, folder), createEnvelopes({ ...options, encryption }).seal(wireKey, value, meta))
  const sealed = sealedWith === undefined ? {} : { sealedWith }
  return { file, wireKey, ...described(value), ...sealed, ...(bound ? meta : none), bound }
}

function described(value: unknown): Pick<GoldenEntry, 'kind' | 'json' | 'hex'> {
  if (value === undefined) return { kind: 'undefined' }
  if (value instanceof ArrayBuffer) return { kind: 'ArrayBuffer', hex: Buffer.from(value).toString('hex') }
  if (!ArrayBuffer.isView(value)) return { kind: 'json', json: value }
  const hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return { kind: value.constructor.name, hex }
}

mkdirSync(folder, { recursive: true })
const manifestFile = new URL('manifest.json', folder)
const entries: GoldenEntry[] = existsSync(manifestFile)
  ? JSON.parse(readFileSync(manifestFile, 'utf8')).entries
  : []
const known = new Set(entries.map(({ file }) => file))
const added = cases.filter(({ name }) => !known.has(`${name}.bin`)).map(write)
writeFileSync(
  manifestFile,
  `${JSON.stringify({ version: 1, keys, entries: [...entries, ...added] }, undefined, 2)}\n`,
)
console.log(`${added.length} golden envelopes written, ${entries.length} left as they were`)
