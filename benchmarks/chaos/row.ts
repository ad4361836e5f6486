import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Message } from './app.ts'
import { password, type Fault } from './faults.ts'
import { createLoad, type Sample, type Visitor } from './load.ts'
import { countUncaught, linesIn, percentile, recoveryOf, returnTold, type Lines } from './telling.ts'

export interface RowOptions {
  readonly store: 'holdfast' | 'connect-redis'
  readonly client: 'ioredis' | 'node-redis'
  /** Requests per second. */
  readonly rate: number
  /** How long the fault lasts. */
  readonly seconds: number
  /** How long the application runs well before the fault, in ms, and once before that to warm up; default 2,000. */
  readonly lead?: number
}

/** What a fault did to an application. Times are in ms. */
export interface Row {
  readonly fault: string
  readonly store: string
  readonly client: string
  readonly requests: number
  /** Answered with 5xx, or not answered because the connection failed. */
  readonly failed: number
  /** What those that failed said, each once. */
  readonly failures: readonly string[]
  /** Not answered within 10 s. */
  readonly hung: number
  /** Before the fault: a machine that is busy with other things shows here. `NaN` where there was no time before it. */
  readonly before: number
  /** Without the first second of the fault. */
  readonly p99: number
  readonly worst: number
  /** From repair until the application trusts Redis again; `NaN`: it did not within 5 s, or does not tell. */
  readonly recovery: number
  readonly lines: Lines
  readonly uncaught: number
  /** Answers that showed somebody else's session. */
  readonly mixedUp: number
  /** Visitors who were logged in before the fault and are not after it. */
  readonly loggedOut: number
}

const visitors = 20

/** Runs one application under one fault. */
export async function runRow(fault: Fault, options: RowOptions): Promise<Row> {
  const { lead = 2_000 } = options
  const redis = await startRedis({ password })
  const proxy = await startProxy({ port: redis.port })
  const site = { redis, proxy }
  await fault.prepare?.(site)
  if (fault.atStart) await fault.break(site, options.seconds)

  const url = `redis://:${password}@127.0.0.1:${proxy.port}`
  const env = {
    ...process.env,
    STORE: options.store,
    CLIENT: options.client,
    URL: url,
    NODE_ENV: 'production',
  }
  const app = fork(new URL('app.ts', import.meta.url), { env, execArgv: ['--conditions=@holdfast/source'] })
  const messages: Message[] = []
  app.on('message', (message) => void messages.push(message as Message))
  try {
    const port = await listening(messages, app)
    const load = createLoad(port)
    const people: Visitor[] = Array.from({ length: visitors }, (_, i) => ({
      name: `user ${i}`,
      cookie: undefined,
    }))
    const logins = await Promise.all(
      people.map((one) => load.visit(one, 'POST', `/login/${encodeURIComponent(one.name!)}`)),
    )

    // A process that has just started compiles its code first: that has to be answered, but is no measure of time.
    const warmUp = createLoad(port)
    const warming = warmUp.run(options.rate, people)
    await pause(lead)
    await warming.stop()
    warmUp.close()

    const running = load.run(options.rate, people)
    if (!fault.atStart) await pause(lead)
    const broken = performance.now()
    if (!fault.atStart) await fault.break(site, options.seconds)
    await pause(broken + options.seconds * 1000 - performance.now())
    await fault.repair(site)
    const repaired = Date.now()
    const recovery = options.store === 'holdfast' ? await recoveryOf(messages, repaired) : Number.NaN
    await returnTold(messages)
    await running.stop()

    const after = await Promise.all(people.map((visitor) => load.visit(visitor, 'GET', '/me')))
    load.close()
    const first = [...logins, ...warmUp.samples]
    const trip = fault.atStart ? -Infinity : broken
    return summarise(fault, options, { first, timed: load.samples, after, broken: trip, recovery, messages })
  } finally {
    app.kill('SIGKILL')
    await proxy.close()
    await redis.stop()
  }
}

async function listening(messages: Message[], app: ReturnType<typeof fork>): Promise<number> {
  for (;;) {
    const message = messages.find(({ type }) => type === 'listening')
    if (message?.type === 'listening') return message.port
    await once(app, 'message')
  }
}

interface Observed {
  /** Requests to a process that was just started. */
  readonly first: readonly Sample[]
  readonly timed: readonly Sample[]
  readonly after: readonly Sample[]
  /** The second after it is left out of the p99; long past where the application never knew better. */
  readonly broken: number
  readonly recovery: number
  readonly messages: readonly Message[]
}

function summarise(fault: Fault, { store, client }: RowOptions, observed: Observed): Row {
  const { first, timed, after, broken, recovery, messages } = observed
  const samples = [...first, ...timed, ...after]
  const settled = timed.filter(({ due }) => due < broken || due > broken + 1_000).map(({ ms }) => ms)
  const failed = samples.filter(({ status }) => status === 0 || status >= 500)
  return {
    fault: fault.name,
    store,
    client,
    requests: samples.length,
    failed: failed.length,
    failures: [...new Set(failed.map(({ status, why }) => `${status || 'no answer'}: ${why}`))],
    hung: samples.filter(({ status }) => status === -1).length,
    before: percentile(
      timed.filter(({ due }) => due < broken).map(({ ms }) => ms),
      0.99,
    ),
    p99: percentile(settled, 0.99),
    worst: Math.max(...[...timed, ...after].map(({ ms }) => ms)),
    recovery,
    lines: linesIn(messages),
    uncaught: countUncaught(messages),
    mixedUp: samples.filter(({ user, expected }) => user != null && user !== expected).length,
    loggedOut: after.filter(({ user, expected }) => user !== expected).length,
  }
}
