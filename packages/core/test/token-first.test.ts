import { eventually, startProxy, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { expect, it, onTestFinished } from 'vitest'
import {
  createHoldfast,
  type Holdfast,
  type HoldfastOptions,
  type LoadedSession,
  type Sessions,
} from '../src/index.ts'
import { sleeper } from './sleeper.ts'

async function redisServer(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

async function start(
  url: string,
  own: HoldfastOptions = {},
): Promise<{ holdfast: Holdfast; sessions: Sessions }> {
  const holdfast = createHoldfast({ redis: url, logger: false, ...own })
  onTestFinished(() => holdfast.close())
  const sessions = holdfast.sessions({
    continuity: {
      secrets: ['a secret of the tests, of 32 bytes and more'],
      lifetime: '60s',
      trustFor: '30s',
    },
  })
  await holdfast.ready()
  return { holdfast, sessions }
}

/** Saves a session as a request does, and gives the token of it. */
async function written(sessions: Sessions, data: object, token?: string): Promise<string> {
  const from = token === undefined ? sessions.begin() : await sessions.load('id', token)
  const sealed = sessions.tokenFor('id', { cookie: {}, ...data }, from, () => 0)
  await sessions.save('id', { cookie: {}, ...data }, from)
  return sealed!
}

async function found(sessions: Sessions, token: string): Promise<LoadedSession> {
  const loaded = await sessions.load('id', token)
  if (loaded.status !== 'found') throw new Error(loaded.status)
  return loaded
}

it('asks Redis where this process has seen a newer version than the token has', async () => {
  const { sessions } = await start((await redisServer()).url)
  const first = await written(sessions, { attempts: 1 })
  expect((await found(sessions, first)).entry).toBeUndefined()
  const second = await written(sessions, { attempts: 2 }, first)
  expect((await found(sessions, first)).data).toMatchObject({ attempts: 2 })
  expect((await found(sessions, second)).entry).toBeUndefined()
})

it('counts as degraded while Redis is away, and lengthens no token then', async () => {
  const redis = await redisServer()
  const [one, other] = [await start(redis.url), await start(redis.url)]
  const token = await written(one.sessions, { count: 1 })
  expect((await found(other.sessions, token)).degraded).toBe(false)
  await redis.kill()
  await eventually(() => expect(other.holdfast.state).toBe('degraded'))
  const from = await found(other.sessions, token)
  expect(from.degraded).toBe('token')
  const ends = from.token!.claims.expiresAt
  await new Promise((resolve) => setTimeout(resolve, 20))
  const next = other.sessions.tokenFor('id', { cookie: {}, count: 2 }, from, () => 0)
  expect((await found(other.sessions, next!)).token!.claims.expiresAt).toBe(ends)
})

it('asks Redis as long as this process does not hear of endings', async () => {
  const redis = await redisServer()
  const proxy = await startProxy({ port: redis.port })
  onTestFinished(() => proxy.close())
  const { sessions } = await start(redis.url)
  const deaf = await start(proxy.url)
  const token = await written(sessions, { user: 'ada' })
  expect((await found(deaf.sessions, token)).entry).toBeUndefined()
  const listening = String(await redis.control.command('CLIENT', 'LIST', 'TYPE', 'PUBSUB'))
  const ids = [...listening.matchAll(/^id=(\d+) .* sub=[1-9]/gm)].map(([, id]) => id!)
  for (const id of ids) await redis.control.command('CLIENT', 'KILL', 'ID', id)
  await eventually(async () => expect((await found(deaf.sessions, token)).entry).toBeDefined())
  await eventually(async () => expect((await found(deaf.sessions, token)).entry).toBeUndefined())
})

it('trusts no token before it knows which sessions were ended while this process was stopped', async () => {
  const redis = await redisServer()
  const proxy = await startProxy({ port: redis.port })
  onTestFinished(() => proxy.close())
  const { clock, sleep } = sleeper()
  const [other, stopped] = [await start(redis.url), await start(proxy.url, { clock })]
  const token = await written(other.sessions, { user: 'ada' })
  proxy.blackhole()
  // Nothing has told yet that the line is dead.
  expect((await found(stopped.sessions, token)).degraded).toBe(false)
  sleep(7_000)
  expect((await found(stopped.sessions, token)).degraded).toBe('token')
})

it('asks Redis first where this process was stopped, and may have missed an ending', async () => {
  const { clock, sleep } = sleeper()
  const { sessions } = await start((await redisServer()).url, { clock })
  const token = await written(sessions, { user: 'ada' })
  expect((await found(sessions, token)).entry).toBeUndefined()
  sleep(7_000)
  expect((await found(sessions, token)).entry).toBeDefined()
})
