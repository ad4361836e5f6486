// An application under measurement: what the benchmarks of whole requests have in common.
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Message } from './chaos/app.ts'
import { createLoad, type Visitor } from './chaos/load.ts'
import { countCommands } from './commands.ts'
import { openCaller, requestOf, type Caller } from './http.ts'
import { median } from './rounds.ts'

/** What keeps the sessions of an application. */
export type Store = 'holdfast' | 'holdfast-without-token' | 'token-first' | 'connect-redis'

/** An application in a process of its own, its Redis, and visitors who are logged in. */
export interface Candidate {
  readonly redis: RedisServer
  readonly app: ChildProcess
  readonly port: number
  readonly callers: readonly Caller[]
  readonly visitors: readonly Visitor[]
}

export interface Measured {
  readonly perSecond: number
  readonly p99: number
  /** Processor time of the application per request, in microseconds. */
  readonly cpu: number
  /** The same of the Redis server. */
  readonly redisCpu: number
}

const roundMs = 1_500
const callers = 16
/** Each caller has visitors of its own: requests of one session at the same time are another matter. */
const visitorsEach = 4

/** Starts an application and logs its visitors in; on a Redis of its own, or on that of another one. */
export async function startCandidate(store: Store, shared?: RedisServer): Promise<Candidate> {
  const redis = shared ?? (await startRedis())
  const env = { ...process.env, STORE: store, URL: redis.url, NODE_ENV: 'production' }
  const app = fork(new URL('chaos/app.ts', import.meta.url), { env, execArgv: process.execArgv })
  const { port } = await hear(app, 'listening')
  const visitors: Visitor[] = Array.from({ length: callers * visitorsEach }, (_, i) => ({
    name: `user ${i}`,
    cookie: undefined,
  }))
  const load = createLoad(port)
  for (const visitor of visitors)
    await load.visit(visitor, 'POST', `/login/${encodeURIComponent(visitor.name!)}`)
  load.close()
  return {
    redis,
    app,
    port,
    visitors,
    callers: await Promise.all(Array.from({ length: callers }, () => openCaller(port))),
  }
}

async function measure(candidate: Candidate, method: string, path: string): Promise<Measured> {
  await refresh(candidate)
  const before = await usage(candidate.app)
  const redisBefore = await redisUsage(candidate.redis)
  const began = performance.now()
  const times = await visit(candidate, method, path)
  const seconds = (performance.now() - began) / 1000
  const micros = (await usage(candidate.app)) - before
  const redisMicros = (await redisUsage(candidate.redis)) - redisBefore
  const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
  return {
    perSecond: times.length / seconds,
    p99,
    cpu: micros / times.length,
    redisCpu: redisMicros / times.length,
  }
}

/** Measures two candidates in turn, A B B A …; what they do to warm up does not count. */
export async function alternate<Who extends string>(
  candidates: Readonly<Record<Who, Candidate>>,
  [first, second]: readonly [Who, Who],
  [method, path]: readonly [method: string, path: string],
  rounds: number,
): Promise<Record<Who, Measured[]>> {
  const figures = { [first]: [], [second]: [] } as unknown as Record<Who, Measured[]>
  for (let round = -2; round < rounds; round++) {
    for (const who of round % 2 ? [first, second] : [second, first]) {
      const measured = await measure(candidates[who], method, path)
      if (round >= 0) figures[who].push(measured)
    }
  }
  return figures
}

/** The median of the ratios of neighbours. */
export function ratioOf(
  ours: readonly Measured[],
  theirs: readonly Measured[],
  figure: keyof Measured,
): number {
  return median(ours.map((one, i) => one[figure] / theirs[i]![figure]))
}

/** Redis commands per 1,000 requests. */
export async function commandsOf(candidate: Candidate, method: string, path: string): Promise<number> {
  await refresh(candidate)
  return countCommands(candidate.redis, async () => void (await visit(candidate, method, path, 1_000)))
}

/** Lets the visitors take what cookies they are given now: the measured requests do not follow them. */
async function refresh({ port, visitors }: Candidate): Promise<void> {
  const load = createLoad(port)
  for (const visitor of visitors) await load.visit(visitor, 'GET', '/me')
  load.close()
}

export async function stopCandidate({ app, redis, callers: open }: Candidate): Promise<void> {
  for (const caller of open) caller.close()
  app.kill()
  await redis.stop()
}

/** So many requests, or as many as fit in a round; each answer must be for who asked. */
export async function visit(
  candidate: Candidate,
  method: string,
  path: string,
  requests = Infinity,
): Promise<number[]> {
  const until = requests === Infinity ? performance.now() + roundMs : Infinity
  const asked = candidate.visitors.map(({ name, cookie }) => ({
    name,
    request: requestOf(method, path, cookie!),
  }))
  const times: number[] = []
  let sent = 0
  await Promise.all(
    candidate.callers.map(async (caller, which) => {
      for (let i = 0; sent < requests && performance.now() < until; i++) {
        sent++
        const { name, request } = asked[which * visitorsEach + (i % visitorsEach)]!
        const due = performance.now()
        const { status, body } = await caller.ask(request)
        times.push(performance.now() - due)
        if (status !== 200 || !body.includes(`"${name}"`))
          throw new Error(`answered ${status} ${body} to ${name}`)
      }
    }),
  )
  return times
}

async function usage(app: ChildProcess): Promise<number> {
  app.send('usage')
  return (await hear(app, 'usage')).micros
}

async function redisUsage(redis: RedisServer): Promise<number> {
  const info = String(await redis.control.command('INFO', 'cpu'))
  const seconds = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, value]) => Number(value))
  return seconds.reduce((sum, value) => sum + value, 0) * 1e6
}

async function hear<Type extends Message['type']>(
  app: ChildProcess,
  type: Type,
): Promise<Message & { type: Type }> {
  for (;;) {
    const [message] = (await once(app, 'message')) as [Message]
    if (message.type === type) return message as Message & { type: Type }
  }
}
