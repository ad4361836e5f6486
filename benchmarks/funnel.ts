// Get and set of JSON through the whole of Holdfast (envelope, deadline, circuit, prefix) against the bare client.
import { createHoldfast } from '@holdfast/core'
import { startRedis } from '@holdfast-internal/test-fixtures'
import { Redis } from 'ioredis'
import assert from 'node:assert/strict'
import { compare, printTable, throughput } from './rounds.ts'

const sizes = { '100 B': 100, '4 kB': 4_000 }
const callers = [1, 32, 256]
/** What is promised for 100 B, by callers; for 4 kB only the one at one caller. */
const targets: Readonly<Record<number, number>> = { 1: 0.95, 32: 1.4, 256: 2.2 }
const rounds = 41
const roundMs = 100

const redis = await startRedis()
const bare = new Redis(redis.url)
const holdfast = createHoldfast({ redis: redis.url, logger: false })
await holdfast.ready()
const entries = holdfast.entries({ concern: 'cache' })

const rows: string[][] = []
for (const [name, size] of Object.entries(sizes)) {
  const value = valueOf(size)
  await entries.set('key', value)
  await bare.set('key', JSON.stringify(value))
  const read = await entries.get('key')
  assert.deepEqual(read.status === 'found' && read.value, value)

  const operations = {
    get: [() => entries.get('key'), async () => JSON.parse((await bare.get('key'))!) as unknown],
    set: [() => entries.set('key', value), () => bare.set('key', JSON.stringify(value))],
  } as const
  for (const [operation, [ours, theirs]] of Object.entries(operations)) {
    for (const count of callers) {
      await throughput(ours, count, roundMs)
      await throughput(theirs, count, roundMs)
      const { a, b, ratio } = await compare(
        () => throughput(ours, count, roundMs),
        () => throughput(theirs, count, roundMs),
        rounds,
      )
      const target = size === 100 || count === 1 ? targets[count] : undefined
      rows.push([
        operation,
        name,
        String(count),
        per(a),
        per(b),
        ratio.toFixed(2),
        target ? `≥ ${target}` : '',
      ])
    }
  }
}
printTable(
  'Through the funnel, against bare ioredis 6 (GET + JSON.parse)',
  ['operation', 'size', 'callers', 'Holdfast/s', 'ioredis/s', 'ratio', 'target'],
  rows,
)
await holdfast.close()
bare.disconnect()
await redis.stop()

/** A session-like object whose JSON has this many bytes. */
function valueOf(size: number): Record<string, unknown> {
  const value = { user: 'ada', roles: ['admin', 'editor'], seen: 1_700_000_000_000, text: '' }
  const words = 'the quick brown fox jumps over the lazy dog '
  const missing = size - JSON.stringify(value).length
  return { ...value, text: words.repeat(Math.ceil(missing / words.length)).slice(0, Math.max(0, missing)) }
}

function per(value: number): string {
  return Math.round(value).toLocaleString('en')
}
