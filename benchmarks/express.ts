// A whole Express request with a session: ours against express-session with connect-redis, each in a process of its own.
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Message } from './chaos/app.ts'
import { createLoad, type Load, type Visitor } from './chaos/load.ts'
import { median, printTable } from './rounds.ts'

interface Candidate {
  readonly name: string
  readonly redis: RedisServer
  readonly app: ChildProcess
  readonly load: Load
  readonly visitors: Visitor[]
}

interface Measured {
  readonly perSecond: number
  readonly p99: number
  readonly commands: number
}

const rounds = 9
const roundMs = 1_500
const callers = 16

const ours = await start('holdfast')
const theirs = await start('connect-redis')
const rows: string[][] = []
for (const [what, method, path] of [
  ['reads its session', 'GET', '/me'],
  ['changes its session', 'POST', '/count'],
] as const) {
  const figures = { ours: [] as Measured[], theirs: [] as Measured[] }
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const who of order) {
      const measured = await measure(who === 'ours' ? ours : theirs, method, path)
      if (round >= 0) figures[who].push(measured)
    }
  }
  const of = (who: 'ours' | 'theirs', figure: keyof Measured): number => median(figures[who].map((one) => one[figure]))
  const ratio = median(figures.ours.map(({ perSecond }, i) => perSecond / figures.theirs[i]!.perSecond))
  for (const [who, name] of [['ours', 'Holdfast'], ['theirs', 'connect-redis']] as const) {
    rows.push([
      what,
      name,
      String(Math.round(of(who, 'perSecond'))),
      who === 'ours' ? ratio.toFixed(2) : '1',
      of(who, 'p99').toFixed(1),
      String(Math.round(of(who, 'commands'))),
    ])
  }
}
printTable(
  'A whole Express request, against express-session + connect-redis 10 + node-redis 6',
  ['a request that', 'store', 'requests/s', 'ratio', 'p99 ms', 'Redis commands per 1,000'],
  rows,
)
for (const { app, redis, load } of [ours, theirs]) {
  load.close()
  app.kill()
  await redis.stop()
}

async function start(store: 'holdfast' | 'connect-redis'): Promise<Candidate> {
  const redis = await startRedis()
  const env = { ...process.env, STORE: store, URL: redis.url, NODE_ENV: 'production' }
  const app = fork(new URL('chaos/app.ts', import.meta.url), { env, execArgv: ['--conditions=@holdfast/source'] })
  const [message] = (await once(app, 'message')) as [Message]
  if (message.type !== 'listening') throw new Error(`the application said ${message.type} first`)
  const load = createLoad(message.port)
  const visitors: Visitor[] = Array.from({ length: 50 }, (_, i) => ({ name: `user ${i}`, cookie: undefined }))
  for (const visitor of visitors) await load.visit(visitor, 'POST', `/login/${encodeURIComponent(visitor.name!)}`)
  return { name: store, redis, app, load, visitors }
}

async function measure({ load, visitors, redis }: Candidate, method: 'GET' | 'POST', path: string): Promise<Measured> {
  const before = await commandsSent(redis)
  const times: number[] = []
  const began = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let i = 0; performance.now() < began + roundMs; i++) {
        const visitor = visitors[(caller + i * callers) % visitors.length]!
        const { status, user, ms } = await load.visit(visitor, method, path)
        if (status !== 200 || user !== visitor.name) throw new Error(`answered ${status} to ${visitor.name}`)
        times.push(ms)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const commands = (await commandsSent(redis)) - before
  return {
    perSecond: times.length / seconds,
    p99: times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!,
    commands: (commands * 1000) / times.length,
  }
}

/** What clients have sent; what a script does inside Redis costs no round trip and is not billed. */
async function commandsSent(redis: RedisServer): Promise<number> {
  const stats = String(await redis.control.command('INFO', 'commandstats'))
  const calls = new Map([...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, count]) => [name!, Number(count)]))
  const scripts = (calls.get('evalsha') ?? 0) + (calls.get('eval') ?? 0)
  const total = [...calls].reduce((sum, [name, count]) => (name === 'info' ? sum : sum + count), 0)
  // Every script of ours that writes runs one GET and, where its condition holds, one SET.
  const insideScripts = scripts === 0 ? 0 : Math.min(calls.get('set') ?? 0, scripts) + Math.min(calls.get('get') ?? 0, scripts)
  return total - insideScripts
}
