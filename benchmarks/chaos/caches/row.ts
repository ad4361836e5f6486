import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { password, type Fault } from '../faults.ts'
import { countUncaught, linesIn, percentile, recoveryOf, returnTold, type Lines } from '../telling.ts'
import { seededKeys } from './load.ts'
import { startApplication, type ApplicationName, type ApplicationProcess } from './process.ts'
import type { Order, Outcome } from './under-load.ts'

export interface CacheRowOptions {
  readonly application: ApplicationName
  /** The application in the other process, which shares the cache; default `loop`. */
  readonly neighbour?: ApplicationName
  readonly client: 'ioredis' | 'node-redis'
  /** Calls per second. */
  readonly rate: number
  /** How long the fault lasts. */
  readonly seconds: number
  /** How long the application runs well before the fault, in ms, and once before that to warm up; default 2,000. */
  readonly lead?: number
}

/** What a fault did to an application with a cache and to a neighbour that shares it. Times are in ms. */
export interface CacheRow {
  readonly fault: string
  readonly application: string
  readonly client: string
  readonly calls: number
  /** Ended with an error, without a value that could be made, or with that of another key. */
  readonly failed: number
  /** What those came to, each once. */
  readonly failures: readonly string[]
  /** Not answered within 5 s. */
  readonly hung: number
  /** Of the application, before the fault: a machine that is busy with other things shows here. */
  readonly before: number
  /** Of the application, without the first second of the fault. */
  readonly p99: number
  /** Of what its factories took by themselves in the same time, but for those of the crowd. */
  readonly factoryP99: number
  readonly worst: number
  /** The most at once in one process since the fault began; 300 callers came for cold keys at once in the middle of it. */
  readonly factories: number
  /** From repair until both processes trust Redis again; `NaN`: they did not within 5 s. */
  readonly recovery: number
  /** Values that were overwritten or removed during the fault, and served by a call after the recovery. */
  readonly stale: number
  readonly lines: Lines
  readonly uncaught: number
}

/** So many callers at once that the bound on factories shows. */
const crowd = 300
/** Longer than any answer of a cache that does not wait for Redis. */
const waitsForRedis = 500
/** The rate to begin with, where that is more: after some 2,000 requests Nest needs a fifth of the time of the first ones. */
const warmUp = 1_600
/** The neighbour keeps values near at hand; it is there for what two processes do to each other. */
const neighbourShare = 0.25
const ways = ['delete', 'set', 'deleteByTag'] as const

/** Runs one application and its neighbour under one fault. */
export async function runCacheRow(fault: Fault, options: CacheRowOptions): Promise<CacheRow> {
  const { application: name, client, rate, seconds, lead = 2_000 } = options
  const redis = await startRedis({ password })
  const proxy = await startProxy({ port: redis.port })
  const site = { redis, proxy }
  const url = `redis://:${password}@127.0.0.1:${proxy.port}`
  const started: ApplicationProcess[] = []
  const start = async (which: ApplicationName, near: boolean): Promise<ApplicationProcess> => {
    const process = await startApplication({ name: which, client, url, near })
    started.push(process)
    return process
  }
  try {
    const neighbour = options.neighbour ?? 'loop'
    await fault.prepare?.(site)
    if (fault.atStart) {
      const seeder = await start(neighbour, false)
      await seeder.order({ do: 'seed' })
      seeder.kill()
      await fault.break(site, seconds)
    }

    const pair = await Promise.all([start(name, false), start(neighbour, true)])
    if (!fault.atStart) await pair[1].order({ do: 'seed' })
    const run = (perSecond: number): Promise<unknown> =>
      Promise.all(
        pair.map((one, i) => one.order({ do: 'run', rate: i ? perSecond * neighbourShare : perSecond })),
      )
    // A process compiles its code as it is used: those calls have to be answered, but are no measure of time.
    await run(Math.max(rate, warmUp))
    await pause(lead)
    const first = await stop(pair)

    await run(rate)
    if (!fault.atStart) await pause(lead)
    const broken = Date.now()
    if (!fault.atStart) await fault.break(site, seconds)
    await changeAll(pair, broken, seconds * 1000)
    await until(broken + seconds * 1000)
    await fault.repair(site)
    const repaired = Date.now()
    const recoveries = await Promise.all(pair.map(({ messages }) => recoveryOf(messages, repaired)))
    await orderAll(pair, { do: 'sweep' })
    await Promise.all(pair.map(({ messages }) => returnTold(messages)))
    await orderAll(pair, { do: 'sweep' })
    const timed = await stop(pair)
    const trip = fault.atStart ? -Infinity : broken
    return summarise(fault, options, { first, timed, trip, repaired, recoveries, pair })
  } finally {
    for (const process of started) process.kill()
    await proxy.close()
    await redis.stop()
  }
}

/**
 * Changes the seeded keys one after the other while the fault lasts, by turns in either process and in each way; every eighth stays
 * as it is. Half-way many callers come at once. Resolves once all has been done, or was not for so long that it waits for Redis.
 */
async function changeAll(pair: readonly ApplicationProcess[], broken: number, ms: number): Promise<void> {
  const crowding = until(broken + ms / 2).then(() => pair[0]!.order({ do: 'crowd', size: crowd }))
  const changed = seededKeys.filter((_, i) => i % 8 !== 7)
  const under: Promise<void>[] = [crowding]
  for (const [i, key] of changed.entries()) {
    await until(broken + (i / changed.length) * ms * 0.9)
    await orderAll(pair, { do: 'note', key })
    under.push(pair[i % 2]!.order({ do: ways[Math.floor(i / 2) % ways.length]!, key }))
  }
  await Promise.race([Promise.all(under), until(broken + ms + waitsForRedis)])
}

function until(time: number): Promise<void> {
  return pause(Math.max(0, time - Date.now()))
}

async function orderAll(pair: readonly ApplicationProcess[], order: Order): Promise<void> {
  await Promise.all(pair.map((one) => one.order(order)))
}

function stop(pair: readonly ApplicationProcess[]): Promise<Outcome[]> {
  return Promise.all(pair.map((one) => one.stop()))
}

interface Observed {
  /** What came of processes that were just started. */
  readonly first: readonly Outcome[]
  readonly timed: readonly Outcome[]
  /** The second after it is left out of the p99; long past where the application never knew better. */
  readonly trip: number
  readonly repaired: number
  readonly recoveries: readonly number[]
  readonly pair: readonly ApplicationProcess[]
}

function summarise(fault: Fault, { application, client }: CacheRowOptions, observed: Observed): CacheRow {
  const { first, timed, trip, repaired, recoveries, pair } = observed
  const all = [...first, ...timed].flatMap(({ samples }) => samples)
  const measured = timed[0]!.samples.filter(({ isCrowd }) => !isCrowd)
  const p99 = (which: readonly { readonly ms: number }[]): number =>
    percentile(
      which.map(({ ms }) => ms),
      0.99,
    )
  const isMeasured = (at: number): boolean => at < trip || at > trip + 1_000
  const crowded = timed[0]!.samples.filter(({ isCrowd }) => isCrowd)
  const ofCrowd = {
    from: Math.min(...crowded.map(({ due }) => due)),
    to: Math.max(...crowded.map(({ due, ms }) => due + ms)),
  }
  const ownReads = timed[0]!.factories.filter(
    ({ began }) => isMeasured(began) && (began < ofCrowd.from || began > ofCrowd.to),
  )
  const failures = all.flatMap(({ failure }) => failure ?? [])
  const messages = pair[0]!.messages
  return {
    fault: fault.name,
    application,
    client,
    calls: all.length,
    failed: failures.length,
    failures: [...new Set(failures)],
    hung: all.filter(({ isHung }) => isHung).length,
    before: p99(measured.filter(({ due }) => due < trip)),
    p99: p99(measured.filter(({ due }) => isMeasured(due))),
    factoryP99: p99(ownReads),
    worst: Math.max(...measured.map(({ ms }) => ms)),
    factories: timed
      .flatMap(({ factories }) => factories)
      .reduce((most, { began, atOnce }) => (began < trip ? most : Math.max(most, atOnce)), 0),
    recovery: Math.max(...recoveries),
    // Each process is judged from its own recovery on.
    stale: timed.reduce(
      (sum, { samples }, i) =>
        sum + samples.filter(({ due, isStale }) => isStale && due > repaired + (recoveries[i] ?? 0)).length,
      0,
    ),
    lines: linesIn(messages),
    uncaught: pair.reduce((sum, one) => sum + countUncaught(one.messages), 0),
  }
}
