// Reads of 100,000 keys of which few are asked for often (Zipf, exponent 0.99), with and without a layer in memory.
import { startRedis } from '@holdfast-internal/test-fixtures'
import { compareAll, printTable, throughput } from '../rounds.ts'
import { overRedis, withNear, type Candidate } from './candidates.ts'
import { keysOf, valueOf } from './values.ts'

const entries = 100_000
const maxEntries = 10_000
const exponent = 0.99
const callers = 32
const rounds = 11
const roundMs = 250
const target = 4

const redis = await startRedis()
const far = await overRedis(redis.url)
const near = await withNear(redis.url, maxEntries)
const keys = keysOf(entries, 'key')
const order = zipf(entries, 500_000)
for (const candidate of [...far, ...near]) await fill(candidate)

const candidates = [far[0]!, near[0]!, ...far.slice(1), ...near.slice(1)]
let at = 0
const standings = await compareAll(
  candidates,
  (one) => throughput(() => read(one, keys.all[order[at++ % order.length]!]!), callers, roundMs),
  rounds,
)
printTable(
  `Zipf ${exponent} over ${entries.toLocaleString('en')} keys of 100 B, ${callers} callers`,
  ['cache', `in memory, of ${maxEntries.toLocaleString('en')}`, 'reads/s', 'against ioredis', 'target'],
  candidates.map((one, i) => [
    one.name,
    near.includes(one) ? 'yes' : 'no',
    Math.round(standings[i]!.figure).toLocaleString('en'),
    standings[i]!.ratio.toFixed(2),
    one === near[0] ? `≥ ${target}` : '',
  ]),
)
for (const candidate of candidates) await candidate.close()
await redis.stop()

function read({ getOrSet, get, fillsByGetOrSet }: Candidate, key: string): Promise<unknown> {
  return fillsByGetOrSet ? getOrSet!(key, neverAsked) : get(key)
}

function neverAsked(): Promise<never> {
  return Promise.reject(new Error('all keys are there'))
}

async function fill(candidate: Candidate): Promise<void> {
  let i = 0
  const writer = async (): Promise<void> => {
    while (i < entries) {
      const key = i++
      await candidate.set(keys.all[key]!, valueOf(100, key))
    }
  }
  await Promise.all(Array.from({ length: 256 }, writer))
}

/** So many draws of one of `count` keys, the first of them the most popular; the same in each run. */
function zipf(count: number, draws: number): Uint32Array {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += 1 / (rank + 1) ** exponent
  let state = 1
  return Uint32Array.from({ length: draws }, () => {
    // A linear congruential generator (Numerical Recipes).
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return search(cumulative, (state / 2 ** 32) * sum)
  })
}

/** The first place whose value is above a wanted one. */
function search(sorted: Float64Array, wanted: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! > wanted) high = middle
    else low = middle + 1
  }
  return low
}
