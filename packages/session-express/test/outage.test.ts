import {
  eventually,
  startProxy,
  startRedis,
  type Proxy,
  type RedisServer,
} from '@holdfast-internal/test-fixtures'
import { createClient } from 'redis'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { session, type HoldfastSession, type SessionOptions } from '../src/index.ts'
import { application, serve, type Site } from './browser.ts'

let redis: RedisServer
let proxy: Proxy
const open: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
})

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  await proxy.close()
  await redis.stop()
})

interface Process extends Site {
  readonly sessions: HoldfastSession
  readonly log: string[]
}

async function start(options: Partial<SessionOptions> = {}): Promise<Process> {
  const log: string[] = []
  const note = (line: string): void => void log.push(line)
  const sessions = session({
    secret: 'a secret of the tests',
    redis: proxy.url,
    logger: { info: note, warn: note, error: note },
    ...options,
  })
  await sessions.holdfast.ready()
  const site = await serve(application(sessions))
  open.push(async () => {
    await site.close()
    await sessions.close()
  })
  return { ...site, sessions, log }
}

const healthy = ({ sessions }: Process): Promise<void> =>
  eventually(() => expect(sessions.holdfast.state).toBe('healthy'))

describe('sessions while Redis is away', () => {
  it('does not end the process by a logout that failed and nobody waits for, and tells who does', async () => {
    const one = await start({ rule: 'refuse' })
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    await proxy.refuse()
    await eventually(() => expect(one.sessions.holdfast.state).toBe('degraded'))

    // As `req.session.destroy()` does.
    void one.sessions.store.destroy('an id of the tests')
    await new Promise(setImmediate)
    expect(unhandled).toEqual([])
    await expect(one.sessions.store.destroy('an id of the tests')).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_UNAVAILABLE',
    })
  })

  it.each([
    ['killed', () => redis.kill({ keepData: true }), () => redis.restart()],
    ['hung', async () => redis.freeze(), async () => redis.thaw()],
    ['cut off', async () => proxy.refuse(), () => proxy.restore()],
    ['half open', async () => proxy.blackhole(), () => proxy.restore()],
    ['too slow', async () => proxy.delay(2_000), () => proxy.restore()],
    ['emptied', () => redis.kill(), () => redis.restart({ empty: true })],
    [
      'out of memory',
      () => redis.control.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => redis.control.command('CONFIG', 'SET', 'maxmemory', '0'),
    ],
    [
      'a replica',
      () => redis.control.command('REPLICAOF', '127.0.0.1', '1'),
      () => redis.control.command('REPLICAOF', 'NO', 'ONE'),
    ],
  ])(
    'go on from memory, writes included, and reach Redis when it is back: %s',
    async (_name, breaks, repairs) => {
      const app = await start()
      const browser = app.browser()
      await browser.post('/login/ada')
      await browser.post('/count')

      await breaks()
      for (let i = 0; i < 5; i++) expect((await browser.post('/count')).status).toBe(200)
      const during = await browser.get('/me')
      expect(during.body).toMatchObject({ user: 'ada', count: 6 })
      expect(during.setCookie).toBeUndefined()
      expect(app.sessions.holdfast.state).not.toBe('healthy')

      await repairs()
      await healthy(app)
      expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 6 })
      const other = await start()
      const elsewhere = other.browser()
      elsewhere.cookie = browser.cookie
      expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', count: 6 })
      expect(app.log.filter((line) => line.includes('degraded'))).toHaveLength(1)
      await eventually(() => expect(app.log.filter((line) => line.includes('healthy again'))).toHaveLength(1))
    },
  )

  it('shows an empty session to a visitor this process has not seen, and leaves the cookie alone', async () => {
    const first = await start()
    const browser = first.browser()
    await browser.post('/login/ada')
    const { cookie } = browser

    const second = await start()
    await proxy.refuse()
    const stranger = second.browser()
    stranger.cookie = cookie
    const during = await stranger.get('/me')
    expect(during).toMatchObject({ status: 200, body: { user: null }, setCookie: undefined })
    expect(stranger.cookie).toBe(cookie)

    await proxy.restore()
    await healthy(second)
    expect((await stranger.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('adds what a stranger changed to the session that Redis has, instead of replacing it', async () => {
    const first = await start()
    const browser = first.browser()
    await browser.post('/login/ada')

    const second = await start({ resave: true, rolling: true })
    await proxy.refuse()
    const stranger = second.browser()
    stranger.cookie = browser.cookie
    await stranger.get('/me')
    await stranger.post('/cart/book')
    expect((await stranger.get('/me')).body).toMatchObject({ user: null, cart: 'book' })

    await proxy.restore()
    await healthy(second)
    expect((await stranger.get('/me')).body).toMatchObject({ user: 'ada', cart: 'book' })
  })

  it('keeps a newer session of Redis, and overwrites an older one', async () => {
    const connected = await start({ redis: redis.url })
    const cutOff = await start()
    for (const later of ['connected', 'cutOff'] as const) {
      const one = connected.browser()
      await one.post('/login/ada')
      const two = cutOff.browser()
      two.cookie = one.cookie
      await two.get('/me')
      await proxy.refuse()
      const order = later === 'connected' ? [two, one] : [one, two]
      await order[0]!.post('/cart/earlier')
      await new Promise((resolve) => setTimeout(resolve, 5))
      await order[1]!.post('/cart/later')
      await proxy.restore()
      await healthy(cutOff)
      expect((await one.get('/me')).body).toMatchObject({ cart: 'later' })
      expect((await two.get('/me')).body).toMatchObject({ cart: 'later' })
    }
  })

  it('ends a session during an outage at once, and in Redis after it', async () => {
    const app = await start()
    const browser = app.browser()
    await browser.post('/login/ada')
    const { cookie } = browser

    await proxy.refuse()
    expect((await browser.post('/logout')).status).toBe(200)
    browser.cookie = cookie
    expect((await browser.get('/me')).body).toMatchObject({ user: null })
    expect(await redis.control.command('DBSIZE')).toBeGreaterThan(0)

    await proxy.restore()
    await healthy(app)
    const elsewhere = (await start()).browser()
    elsewhere.cookie = cookie
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: null })
  })

  it('never lets a write that was given up bring an ended session back', async () => {
    const app = await start()
    const browser = app.browser()
    await browser.post('/login/ada')
    const { cookie } = browser

    proxy.hold()
    await browser.post('/count')
    await proxy.release()
    await healthy(app)
    await browser.post('/logout')
    browser.cookie = cookie
    expect((await browser.get('/me')).body).toMatchObject({ user: null, count: 0 })
  })

  it('answers 503 under the rule "refuse", and is itself again afterwards', async () => {
    const app = await start({ rule: 'refuse' })
    const browser = app.browser()
    await browser.post('/login/ada')
    await proxy.refuse()
    await eventually(() => expect(app.sessions.holdfast.state).toBe('degraded'))
    const during = await browser.get('/me')
    expect(during).toMatchObject({
      status: 503,
      body: { code: 'ERR_HOLDFAST_UNAVAILABLE' },
      setCookie: undefined,
    })
    await proxy.restore()
    await healthy(app)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('starts without Redis, and finds it when it comes', async () => {
    await proxy.refuse()
    const app = await start()
    expect(app.sessions.holdfast.state).toBe('degraded')
    const browser = app.browser()
    await browser.post('/login/ada')
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
    await proxy.restore()
    await healthy(app)
    const elsewhere = (await start()).browser()
    elsewhere.cookie = browser.cookie
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it("does the same over an application's node-redis client, which hangs by itself", async () => {
    const client = createClient({ url: proxy.url })
    client.on('error', () => {})
    await client.connect()
    open.push(async () => client.destroy())
    const app = await start({ redis: client as never })
    const browser = app.browser()
    await browser.post('/login/ada')
    redis.freeze()
    for (let i = 0; i < 3; i++) expect((await browser.post('/count')).status).toBe(200)
    redis.thaw()
    await healthy(app)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 3 })
  })
})

describe('an answer that belongs to another', () => {
  it.each(['envelope', 'json'] as const)(
    'is never handed out, is counted, and costs the connection: %s',
    async (format) => {
      const app = await start({ format })
      const people = await Promise.all(
        ['ada', 'bob', 'carol', 'dan'].map(async (name) => {
          const browser = app.browser()
          await browser.post(`/login/${name}`)
          return { name, browser }
        }),
      )
      for (let round = 0; round < 10; round++) {
        proxy.garble(Buffer.from(round % 2 ? '+OK\r\n' : '$-1\r\n'))
        const visits = await Promise.all(
          people.map(async ({ name, browser }) => ({ name, visit: await browser.get('/me') })),
        )
        for (const { name, visit } of visits) {
          expect([name, null]).toContain((visit.body as { user: string | null }).user)
          expect(visit.status).toBe(200)
        }
        await healthy(app)
      }
      const { outages, foreign } = app.sessions.holdfast.health().counts
      expect(outages).toBeGreaterThan(0)
      expect(foreign).toBeGreaterThan(0)
    },
  )
})
