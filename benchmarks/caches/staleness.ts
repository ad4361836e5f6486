// How long a near cache serves what somebody else has overwritten already, from the moment in which they were told so.
import { createHoldfast } from '@holdfast/core'
import { startRedis } from '@holdfast-internal/test-fixtures'
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { printTable } from '../rounds.ts'

const writes = 2_000
const keys = 20

const redis = await startRedis()
const options = { redis: redis.url, logger: false } as const
const reading = createHoldfast(options)
const cache = reading.cache({ near: true, ttl: '1h' })
const foreign = createHoldfast(options)
const foreignCache = foreign.cache({ ttl: '1h' })
await Promise.all([reading.ready(), foreign.ready()])

const [atOnce, apart] = [await inThisProcess(), await fromAnotherThread()]
printTable(
  'Staleness of the near cache after a foreign write, from its acknowledgement',
  ['writer', 'writes', 'reads at once after it that were stale', 'p50 ms', 'p99 ms', 'worst ms'],
  [
    ['another client of this process', String(writes), String(atOnce), '', '', ''],
    [
      'another thread',
      String(writes),
      '',
      ...[0.5, 0.99, 1].map((share) => percentile(apart, share).toFixed(3)),
    ],
  ],
)
await Promise.all([reading.close(), foreign.close()])
await redis.stop()

/** A writer in this process reads as soon as it is told: how often does it get the old value? */
async function inThisProcess(): Promise<number> {
  let stale = 0
  let near = 0
  for (let version = 1; version <= writes; version++) {
    const key = `own ${version % keys}`
    await foreignCache.set(key, version)
    if ((await cache.get(key)) !== version) stale++
    // The next write meets a value that is near at hand.
    const hits = cache.statistics().hits.near
    await cache.get(key)
    if (cache.statistics().hits.near > hits) near++
  }
  assert.ok(near > 0.99 * writes, `only ${near} of ${writes} values were near at hand`)
  return stale
}

/**
 * Milliseconds from each acknowledgement until the old value was served for the last time; 0 where it was not served any more.
 * The clock is one for all threads.
 */
async function fromAnotherThread(): Promise<number[]> {
  const acknowledged = new BigInt64Array(new SharedArrayBuffer(8 * (writes + 1)))
  const asked = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('staleness-writer.ts', import.meta.url), {
    workerData: { url: redis.url, writes, acknowledged, asked },
    execArgv: [...process.execArgv.filter((flag) => flag.startsWith('--conditions'))],
  })
  const failed = new Promise<never>((_, reject) => worker.once('error', reject))
  const staleness: number[] = []
  const follow = async (): Promise<void> => {
    for (let version = 1; version <= writes; version++) {
      Atomics.store(asked, 0, version)
      Atomics.notify(asked, 0)
      let lastServed = 0n
      for (;;) {
        const before = process.hrtime.bigint()
        const read = await cache.get('foreign')
        if (read === version) break
        lastServed = before
        await nextTurn()
      }
      while (Atomics.load(acknowledged, version) === 0n) await nextTurn()
      const late = Number(lastServed - Atomics.load(acknowledged, version)) / 1e6
      staleness.push(Math.max(0, late))
    }
  }
  await Promise.race([follow(), failed])
  await worker.terminate()
  return staleness
}

function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
