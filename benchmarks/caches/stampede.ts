// A thousand callers at once of a key that nobody has: how often the factory runs, and how long all of them wait.
import { startRedis } from '@holdfast-internal/test-fixtures'
import assert from 'node:assert/strict'
import { compareAll, printTable } from '../rounds.ts'
import { overRedis, withNear, type Candidate, type Open } from './candidates.ts'
import { valueOf } from './values.ts'

const callers = 1_000
const factoryMs = 50
const rounds = 7

const redis = await startRedis()
const opening = Object.entries<Open>({ ...overRedis, 'Holdfast, near': withNear(callers).Holdfast! })
const candidates: Candidate[] = []
for (const [, open] of opening) candidates.push(await open(redis.url))
const runs = new Map<Candidate, number>()
let cold = 0

const standings = await compareAll(candidates, stampede, rounds)
printTable(
  `${callers.toLocaleString('en')} callers of a cold key at once, the factory takes ${factoryMs} ms`,
  ['cache', 'factory runs', 'until all are answered, ms', 'against ioredis', 'target'],
  opening.map(([name], i) => [
    name,
    (runs.get(candidates[i]!)! / (rounds + 1)).toFixed(0),
    standings[i]!.figure.toFixed(1),
    standings[i]!.ratio.toFixed(2),
    name.startsWith('Holdfast') ? '1 run' : '',
  ]),
)
for (const candidate of candidates) await candidate.close()
await redis.stop()

async function stampede(candidate: Candidate): Promise<number> {
  const key = `cold ${cold++}`
  const value = valueOf(4_000, cold)
  const factory = async (): Promise<unknown> => {
    runs.set(candidate, (runs.get(candidate) ?? 0) + 1)
    await new Promise((resolve) => setTimeout(resolve, factoryMs))
    return value
  }
  const began = performance.now()
  const answers = await Promise.all(
    Array.from(
      { length: callers },
      () => candidate.getOrSet?.(key, factory) ?? byHand(candidate, key, factory),
    ),
  )
  const ms = performance.now() - began
  for (const answer of answers) assert.deepEqual(answer, value)
  return ms
}

/** Without a word for it: look, make, store. */
async function byHand(
  { get, set }: Candidate,
  key: string,
  factory: () => Promise<unknown>,
): Promise<unknown> {
  const there = (await get(key)) ?? undefined
  if (there !== undefined) return there
  const made = await factory()
  await set(key, made)
  return made
}
