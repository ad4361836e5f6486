import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createEnvelopes, type Opened } from '../src/envelope/envelope.ts'
import { Scoped } from '../src/envelope/scoped.ts'

interface Manifest {
  readonly version: number
  readonly keys: Readonly<Record<string, string>>
  readonly entries: readonly Entry[]
}

interface Entry {
  readonly file: string
  readonly wireKey: string
  readonly kind: string
  readonly json?: unknown
  readonly hex?: string
  readonly sealedWith?: string
  readonly revision: number
  readonly stamp: number
  readonly endsAt: number
  readonly bound: boolean
  readonly generation?: number
  readonly tags?: readonly unknown[]
}

const golden = new URL('../../../test-fixtures/golden/', import.meta.url)

/** What opening a golden entry must give, in a form that can be compared: bytes as hex beside their kind. */
function expected({ kind, json, hex, revision, stamp, endsAt, bound, generation, tags }: Entry): unknown {
  return {
    status: 'opened',
    kind,
    ...(kind === 'json' ? { json } : {}),
    ...(hex === undefined ? {} : { hex }),
    revision,
    stamp,
    endsAt,
    bound,
    ...(generation === undefined ? {} : { generation, tags }),
  }
}

function shown(opened: Opened): unknown {
  if (opened.status !== 'opened') return opened
  const { value, ...rest } = opened
  if (value instanceof Scoped) {
    const { generation, tags } = value
    return { ...(shown({ ...opened, value: value.value }) as object), generation, tags }
  }
  if (value === undefined) return { ...rest, kind: 'undefined' }
  if (value instanceof ArrayBuffer)
    return { ...rest, kind: 'ArrayBuffer', hex: Buffer.from(value).toString('hex') }
  if (!ArrayBuffer.isView(value)) return { ...rest, kind: 'json', json: value }
  const hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return { ...rest, kind: value.constructor.name, hex }
}

describe.each(readdirSync(golden))('golden envelopes of %s', (version) => {
  const folder = new URL(`${version}/`, golden)
  const { keys, entries }: Manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8'))
  const ring = { keys: Object.values(keys) }
  const bytesOf = (file: string): Buffer => readFileSync(new URL(file, folder))
  /** Node before 24 has no Float16Array, and says that it does not know the kind. */
  const known = entries.filter(({ kind }) => kind !== 'Float16Array' || 'Float16Array' in globalThis)

  it('are all listed in the manifest, and all there', () => {
    const files = readdirSync(folder).filter((file) => file !== 'manifest.json')
    expect(entries.map(({ file }) => file).toSorted()).toEqual(files.toSorted())
    expect(files.length).toBeGreaterThan(30)
  })

  it.each(known)('stay readable: $file', (entry) => {
    const encryption = entry.sealedWith === undefined ? undefined : ring
    const opened = createEnvelopes({ encryption }).open(entry.wireKey, bytesOf(entry.file))
    expect(shown(opened)).toStrictEqual(expected(entry))
  })

  it.each(known.filter(({ sealedWith }) => sealedWith !== undefined))(
    'stay sealed without their key: $file',
    (entry) => {
      const others = Object.entries(keys).filter(([name]) => name !== entry.sealedWith)
      const bytes = bytesOf(entry.file)
      expect(createEnvelopes().open(entry.wireKey, bytes)).toMatchObject({ reason: 'encrypted' })
      const encryption = { keys: others.map(([, key]) => key) }
      expect(createEnvelopes({ encryption }).open(entry.wireKey, bytes)).toMatchObject({
        reason: 'unknown encryption key',
      })
    },
  )

  it.each(known.filter(({ bound }) => bound))(
    'stay foreign under another key: $file',
    ({ file, wireKey }) => {
      expect(createEnvelopes({ encryption: ring }).open(`${wireKey}x`, bytesOf(file))).toEqual({
        status: 'foreign',
      })
    },
  )

  it.each(
    known.filter(
      ({ bound, sealedWith, file }) => bound && sealedWith === undefined && !/zstd|brotli/.test(file),
    ),
  )('are what is written today, to the byte: $file', (entry) => {
    const bytes = bytesOf(entry.file)
    const opened = createEnvelopes().open(entry.wireKey, bytes) as Opened & { status: 'opened' }
    expect(Buffer.from(createEnvelopes().seal(entry.wireKey, opened.value, opened))).toEqual(bytes)
  })
})
