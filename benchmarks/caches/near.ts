// A hit in this process' memory, in nanoseconds, by the size of the value; against the layers in memory of the peers.
import { startRedis } from '@holdfast-internal/test-fixtures'
import assert from 'node:assert/strict'
import { compareAll, printTable } from '../rounds.ts'
import { inMemoryOnly, withNear, type Candidate, type Open } from './candidates.ts'
import { keysOf, sizes, valueOf } from './values.ts'

const target = 1_000
const rounds = 7
const roundMs = 60
const maxEntries = 10_000

const redis = await startRedis()
const opening = Object.entries<Open>({
  ...withNear(maxEntries),
  ...inMemoryOnly(maxEntries),
  'a Map, awaited': plainMap,
})
const candidates: Candidate[] = []
for (const [, open] of opening) candidates.push(await open(redis.url))
const rows: string[][] = []
for (const [size, bytes] of Object.entries(sizes)) {
  const keys = keysOf(bytes > 10_000 ? 64 : 512, size)
  for (const candidate of candidates) await fill(candidate, keys.all, bytes)
  const factory = (): Promise<never> => Promise.reject(new Error('a hit runs no factory'))
  const operations = {
    get: (candidate: Candidate) => candidate.get(keys.next()),
    getOrSet: (candidate: Candidate) => candidate.getOrSet!(keys.next(), factory),
  }
  for (const [operation, ask] of Object.entries(operations)) {
    const those = candidates.filter((one) => operation === 'get' || one.getOrSet)
    const found = await compareAll(those, (one) => nanoseconds(() => ask(one)), rounds)
    const of = (one: Candidate): string => {
      const standing = found[those.indexOf(one)]
      return standing ? Math.round(standing.figure).toLocaleString('en') : ''
    }
    rows.push([operation, size, ...candidates.map(of), `< ${target.toLocaleString('en')}`])
  }
}
printTable(
  'A hit in memory, ns at one caller',
  ['operation', 'size', ...opening.map(([name]) => name), 'target for Holdfast'],
  rows,
)
for (const candidate of candidates) await candidate.close()
await redis.stop()

/** Stores values and reads them until they are near at hand. */
async function fill(candidate: Candidate, keys: readonly string[], bytes: number): Promise<void> {
  for (const [i, key] of keys.entries()) {
    await candidate.set(key, valueOf(bytes, i))
    await candidate.get(key)
  }
  // What was written is told of once more by Redis.
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const [i, key] of keys.entries()) assert.deepEqual(await candidate.get(key), valueOf(bytes, i))
}

/** The time of one operation, without that of reading the clock. */
async function nanoseconds(operation: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let count = 0
  do {
    for (let i = 0; i < 16; i++) await operation()
    count += 16
  } while (performance.now() - began < roundMs)
  return ((performance.now() - began) * 1e6) / count
}

/** What cannot be beaten: no bounds, no expiry, nobody tells of changes. */
function plainMap(): Candidate {
  const map = new Map<string, unknown>()
  return {
    get: (key) => Promise.resolve(map.get(key)),
    getMany: (keys) => Promise.resolve(keys.map((key) => map.get(key))),
    set: (key, value) => Promise.resolve(map.set(key, value)),
    getOrSet: (key) => Promise.resolve(map.get(key)),
    close: () => Promise.resolve(),
  }
}
