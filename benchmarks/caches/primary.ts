// Hits in Redis, writes and reads of many: against the bare client and the caches that people pick.
import { startRedis } from '@holdfast-internal/test-fixtures'
import assert from 'node:assert/strict'
import { compareAll, printTable, throughput } from '../rounds.ts'
import { holdfast, overRedis, type Candidate } from './candidates.ts'
import { keysOf, sizes, valueOf, type Size } from './values.ts'

const rounds = 15
const roundMs = 80
const callers = [1, 32, 256]
const batch = 50
/** What is promised for hits, as ratios to the bare client. */
const targets: Readonly<Record<number, number>> = { 1: 0.95, 32: 1.3 }

const redis = await startRedis()
const [bare, ours, ...peers] = await overRedis(redis.url)
const uncompressed = await holdfast(redis.url, { compression: false })
const candidates = [bare!, ours!, uncompressed, ...peers]
const rows: string[][] = []

for (const [size, bytes] of Object.entries(sizes) as [Size, number][]) {
  const keys = keysOf(bytes > 10_000 ? 100 : 1_000, size)
  const values = keys.all.map((_, i) => valueOf(bytes, i))
  for (const candidate of candidates) {
    await Promise.all(keys.all.map((key, i) => candidate.set(key, values[i])))
    assert.deepEqual(await candidate.getMany(keys.all.slice(0, 3)), values.slice(0, 3))
  }
  const factory = (): Promise<never> => Promise.reject(new Error('a hit runs no factory'))
  for (const count of callers) {
    await row('get', size, count, (one) => one.get(keys.next()))
    await row('getOrSet', size, count, ({ getOrSet, get }) =>
      getOrSet ? getOrSet(keys.next(), factory) : get(keys.next()),
    )
  }
  for (const count of [1, 32]) {
    let i = 0
    await row('set', size, count, (one) => one.set(keys.next(), values[i++ % values.length]))
  }
  if (bytes < 10_000) {
    await row(`getMany of ${batch}`, size, 1, (one) =>
      one.getMany(Array.from({ length: batch }, () => keys.next())),
    )
  }
}
printTable(
  'Through Redis, as ratios to bare ioredis 6 (GET + JSON.parse, SET of JSON.stringify, MGET)',
  [
    ...['operation', 'size', 'callers', 'ioredis/s'],
    ...candidates.slice(1).map(({ name }) => name),
    ...['ahead of the best peer', 'target'],
  ],
  rows,
)
for (const candidate of candidates) await candidate.close()
await redis.stop()

async function row(
  operation: string,
  size: Size,
  count: number,
  ask: (candidate: Candidate) => Promise<unknown>,
): Promise<void> {
  // What the bare client and keyv have no word for is compared with what they have.
  const those = candidates.filter(
    (one) =>
      (one !== uncompressed || size === '100 kB') &&
      (operation !== 'getOrSet' || one === bare || one.getOrSet),
  )
  const found = await compareAll(those, (one) => throughput(() => ask(one), count, roundMs), rounds)
  const ratioOf = (one: Candidate): number => found[those.indexOf(one)]?.ratio ?? Number.NaN
  const best = Math.max(...peers.filter((one) => those.includes(one)).map(ratioOf))
  const isPromised = operation.startsWith('get') && !operation.startsWith('getMany') && size !== '100 kB'
  const target = isPromised ? targets[count] : undefined
  rows.push([
    operation,
    size,
    String(count),
    Math.round(found[0]!.figure).toLocaleString('en'),
    ...candidates.slice(1).map((one) => (those.includes(one) ? ratioOf(one).toFixed(2) : '')),
    `× ${(ratioOf(ours!) / best).toFixed(2)}`,
    target ? `≥ ${target}` : '',
  ])
}
