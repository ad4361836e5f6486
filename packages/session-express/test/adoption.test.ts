import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { RedisStore } from 'connect-redis'
import ConnectRedis7 from 'connect-redis-7'
import type { Store } from 'express-session'
import expressSession from 'express-session'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HoldfastStore, type HoldfastStoreOptions } from '../src/index.ts'

let redis: RedisServer
let client: ReturnType<typeof createClient>
const stores: HoldfastStore[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url })
  await client.connect()
})

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  client.destroy()
  await redis.stop()
})

function ours(options: HoldfastStoreOptions = {}): HoldfastStore {
  const store = new HoldfastStore({ redis: redis.url, logger: false, ...options })
  stores.push(store)
  return store
}

const peers = {
  'connect-redis 10': () => new RedisStore({ client }) as Store,
  'connect-redis 7': () => new (ConnectRedis7 as unknown as typeof RedisStore)({ client }) as Store,
}

function sessionOf(extra: object = {}): expressSession.SessionData {
  const cookie = new expressSession.Cookie()
  cookie.maxAge = 60_000
  return { cookie, user: 'ada', ...extra }
}

const get = (store: Store, sid: string): Promise<unknown> =>
  new Promise((resolve, reject) =>
    store.get(sid, (error, session) => (error ? reject(error as Error) : resolve(session))),
  )

const set = (store: Store, sid: string, session: expressSession.SessionData): Promise<void> =>
  new Promise((resolve, reject) =>
    store.set(sid, session, (error) => (error ? reject(error as Error) : resolve())),
  )

const sizes = {
  small: {},
  large: { list: Array.from({ length: 500 }, (_, i) => ({ i, text: `entry ${i}` })) },
}

describe.each(Object.entries(peers))('adoption and retreat: %s', (name, createPeer) => {
  describe.each(Object.entries(sizes))('%s sessions', (size, extra) => {
    it.each([undefined, { threshold: 100 }, false] as const)(
      'of it are read by us, compression %o',
      async (compression) => {
        const sid = `${name} ${size} ${JSON.stringify(compression)}`
        await set(createPeer(), sid, sessionOf(extra))
        const store = ours(compression === undefined ? {} : { compression })
        const session = (await get(store, sid)) as expressSession.SessionData
        expect(session).toMatchObject({ user: 'ada', ...extra })
        await set(store, sid, { ...session, count: 2 })
        expect(await get(store, sid)).toMatchObject({ user: 'ada', count: 2, ...extra })
      },
    )

    it.each([undefined, { threshold: 100 }] as const)(
      'of ours in JSON are read by it, compression %o',
      async (compression) => {
        const sid = `ours ${name} ${size} ${JSON.stringify(compression)}`
        const store = ours({ format: 'json', ...(compression && { compression }) })
        await set(store, sid, sessionOf(extra))
        const theirs = await get(createPeer(), sid)
        expect(theirs).toMatchObject({ user: 'ada', ...extra })
        expect(Object.keys(theirs as object).sort()).toEqual(['cookie', 'user', ...Object.keys(extra)].sort())
        expect(await client.pTTL(`sess:${sid}`)).toBeGreaterThan(50_000)
      },
    )
  })

  it('goes back and forth on one session', async () => {
    const sid = `both ${name}`
    const store = ours({ format: 'json' })
    const peer = createPeer()
    await set(peer, sid, sessionOf())
    await set(store, sid, { ...((await get(store, sid)) as expressSession.SessionData), count: 1 })
    await set(peer, sid, { ...((await get(peer, sid)) as expressSession.SessionData), count: 2 })
    expect(await get(store, sid)).toMatchObject({ user: 'ada', count: 2 })
  })
})
