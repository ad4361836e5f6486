import expressSession from 'express-session'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  conformance,
  defineSessionStore,
  runConformance,
  verdicts,
  type Report,
  type SessionStore,
  type SessionStoreSubject,
} from '@holdfast/conformance'
import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { HoldfastStore } from '@holdfast/session-express'

const redis = await startRedis()

async function redisSubject(
  name: string,
  connect: (url: string) => Promise<{ store: unknown; close(): Promise<void> }>,
): Promise<SessionStoreSubject> {
  const proxy = await startProxy(redis)
  const closers = new Map<SessionStore, () => Promise<void>>()
  return defineSessionStore({
    name,
    shared: true,
    async create() {
      const { store, close } = await connect(proxy.url)
      closers.set(store as SessionStore, close)
      return store as SessionStore
    },
    close: async (store) => closers.get(store)?.(),
    fault: {
      cut: () => proxy.refuse(),
      hang: async () => proxy.hold(),
      slow: async () => proxy.delay(2_000),
      restore: () => proxy.restore(),
    },
    stop: () => proxy.close(),
  })
}

const holdfast = await redisSubject('HoldfastStore', async (url) => {
  const store = new HoldfastStore({ redis: url, prefix: 'held:', logger: false })
  await store.holdfast.ready()
  return { store, close: () => store.close() }
})
const connectRedis = await redisSubject('connect-redis', async (url) => {
  const client = createClient({ url })
  client.on('error', () => undefined)
  await client.connect()
  return { store: new RedisStore({ client, prefix: 'theirs:' }), close: async () => client.destroy() }
})
const memoryStore = defineSessionStore({
  name: "express-session's MemoryStore",
  create: () => new expressSession.MemoryStore() as unknown as SessionStore,
})

const suite = conformance(holdfast, { describe, it })
let theirs: Promise<Report>
let memory: Promise<Report>

beforeAll(() => {
  void suite.start()
  theirs = runConformance(connectRedis)
  memory = runConformance(memoryStore)
})
afterAll(() => redis.stop())

function named(report: Report, wanted: 'failed' | 'passed' | 'not claimed'): string[] {
  return verdicts(report).flatMap(({ name, status }) => (status === wanted ? [name] : []))
}

describe('the suite is fair', { timeout: 60_000 }, () => {
  it('to connect-redis: it is a good store while Redis is there', async () => {
    const report = await theirs
    expect(named(report, 'failed')).toEqual([
      'keeps a destroyed session destroyed when a request that had loaded it saves late',
      'calls back in time, and without an error, during an outage',
      'goes on with a session that was seen, its writes included',
      'keeps what was saved over an unseen session beside what it held',
      'keeps a session destroyed that was destroyed in the outage, whatever comes late',
    ])
  })

  it('to the MemoryStore: it claims little, and keeps most of that', async () => {
    const report = await memory
    expect(named(report, 'failed')).toEqual([
      'keeps a destroyed session destroyed when a request that had loaded it saves late',
    ])
    expect(named(report, 'not claimed')).toContain(
      'goes on with a session that was seen, its writes included',
    )
  })
})
