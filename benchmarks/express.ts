// A whole Express request with a session: ours against express-session with connect-redis, each in a process of its own.
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Message } from './chaos/app.ts'
import { createLoad, type Visitor } from './chaos/load.ts'
import { countCommands } from './commands.ts'
import { openCaller, requestOf, type Caller } from './http.ts'
import { median, printTable } from './rounds.ts'

interface Candidate {
  readonly redis: RedisServer
  readonly app: ChildProcess
  readonly callers: readonly Caller[]
  readonly visitors: readonly Visitor[]
}

interface Measured {
  readonly perSecond: number
  readonly p99: number
  /** Processor time of the application per request, in microseconds. */
  readonly cpu: number
  /** The same of the Redis server. */
  readonly redisCpu: number
}

const rounds = 9
const roundMs = 1_500
const callers = 16
/** Each caller has visitors of its own: requests of one session at the same time are another matter. */
const visitorsEach = 4
/** Redis commands per 1,000 requests that we promise not to exceed. */
const promised = { 'reads its session': 1_100, 'changes its session': 2_100 }

const candidates = { ours: await start('holdfast'), theirs: await start('connect-redis') }
const names = { ours: 'Holdfast', theirs: 'connect-redis' }
type Who = keyof typeof candidates

const rows: string[][] = []
for (const [what, method, path] of [
  ['reads its session', 'GET', '/me'],
  ['changes its session', 'POST', '/count'],
] as const) {
  const figures: Record<Who, Measured[]> = { ours: [], theirs: [] }
  for (let round = -2; round < rounds; round++) {
    const order: readonly Who[] = round % 2 ? ['ours', 'theirs'] : ['theirs', 'ours']
    for (const who of order) {
      const measured = await measure(candidates[who], method, path)
      if (round >= 0) figures[who].push(measured)
    }
  }
  const ratio = (figure: keyof Measured): string =>
    median(figures.ours.map((one, i) => one[figure] / figures.theirs[i]![figure])).toFixed(2)
  for (const who of ['ours', 'theirs'] as const) {
    const of = (figure: keyof Measured): number => median(figures[who].map((one) => one[figure]))
    const beside = (figure: keyof Measured): string => (who === 'ours' ? ` (×${ratio(figure)})` : '')
    const commands = await countCommands(
      candidates[who].redis,
      async () => void (await visit(candidates[who], method, path, 1_000)),
    )
    const isMissed = who === 'ours' && commands > promised[what]
    if (isMissed) process.exitCode = 1
    rows.push([
      what,
      names[who],
      `${Math.round(of('perSecond'))}${beside('perSecond')}`,
      `${Math.round(of('cpu'))}${beside('cpu')}`,
      `${Math.round(of('redisCpu'))}${beside('redisCpu')}`,
      `${of('p99').toFixed(1)}${beside('p99')}`,
      `${commands}${who === 'ours' ? ` (${isMissed ? 'missed: ' : ''}≤ ${promised[what]})` : ''}`,
    ])
  }
}
printTable(
  'A whole Express request, against express-session + connect-redis 10 + node-redis 6',
  [
    'a request that',
    'store',
    'requests/s',
    'CPU, µs/request',
    'Redis CPU, µs/request',
    'p99, ms',
    'Redis commands per 1,000',
  ],
  rows,
)
for (const { app, redis, callers: open } of Object.values(candidates)) {
  for (const caller of open) caller.close()
  app.kill()
  await redis.stop()
}

async function start(store: 'holdfast' | 'connect-redis'): Promise<Candidate> {
  const redis = await startRedis()
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
    visitors,
    callers: await Promise.all(Array.from({ length: callers }, () => openCaller(port))),
  }
}

async function measure(candidate: Candidate, method: string, path: string): Promise<Measured> {
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

/** So many requests, or as many as fit in a round; each answer must be for who asked. */
async function visit(
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
