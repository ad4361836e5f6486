import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import expressSession from 'express-session'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HoldfastStore, session, type HoldfastStoreOptions } from '../src/index.ts'
import { application, serve } from './browser.ts'

let redis: RedisServer
let client: Redis
const stores: HoldfastStore[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
})

afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

let prefixes = 0
function createStore(options: HoldfastStoreOptions = {}): HoldfastStore & { prefix: string } {
  const prefix = `test${++prefixes}:`
  const store = new HoldfastStore({ redis: redis.url, logger: false, prefix, ...options })
  stores.push(store)
  return Object.assign(store, { prefix })
}

function sessionOf(maxAge: number | null = 60_000, extra: object = {}): expressSession.SessionData {
  const cookie = new expressSession.Cookie()
  if (maxAge !== null) cookie.maxAge = maxAge
  return { cookie, user: 'ada', ...extra }
}

describe('the store contract', () => {
  it('gives what was set, and null for what was not', async () => {
    const store = createStore()
    await store.set('a', sessionOf())
    expect(await store.get('a')).toMatchObject({ user: 'ada', cookie: { originalMaxAge: 60_000 } })
    expect(await store.get('b')).toBeNull()
  })

  it('destroys one, and tells all, ids and length', async () => {
    const store = createStore()
    await Promise.all(['a', 'b', 'c'].map((sid) => store.set(sid, sessionOf())))
    await store.destroy('b')
    expect((await store.ids()).sort()).toEqual(['a', 'c'])
    expect((await store.all()).map(({ id }) => id).sort()).toEqual(['a', 'c'])
    expect(await store.length()).toBe(2)
  })

  it('clears its own sessions and no neighbour', async () => {
    const store = createStore({ prefix: 'a*:' })
    const neighbour = createStore({ prefix: 'ab:' })
    await store.set('x', sessionOf())
    await neighbour.set('y', sessionOf())
    await store.clear()
    expect(await store.length()).toBe(0)
    expect(await neighbour.length()).toBe(1)
  })

  it('overwrites what another process set', async () => {
    const one = createStore()
    const two = createStore({ prefix: one.prefix })
    await one.set('a', sessionOf(60_000, { count: 1 }))
    await two.set('a', sessionOf(60_000, { count: 2 }))
    expect(await one.get('a')).toMatchObject({ count: 2 })
  })

  it.each([
    'new\nline',
    'glob*?[x]',
    'sid with spaces',
    'ünïcode ☃',
    'x'.repeat(2_000),
    '__proto__',
    '#hash',
  ])('takes any session id as it is: %s', async (sid) => {
    const store = createStore()
    await store.set(sid, sessionOf())
    await store.set('other', sessionOf(60_000, { user: 'bob' }))
    expect(await store.get(sid)).toMatchObject({ user: 'ada' })
    await store.destroy(sid)
    expect(await store.get(sid)).toBeNull()
    expect(await store.get('other')).toMatchObject({ user: 'bob' })
  })

  it('calls back exactly once, on a fresh tick, also when the callback throws', async () => {
    const store = createStore()
    const calls: unknown[] = []
    const thrown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error))
    try {
      let isSync = true
      void store.set('a', sessionOf(), () => {
        calls.push(isSync)
        throw new Error('of the callback')
      })
      isSync = false
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(calls).toEqual([false])
      expect(thrown).toHaveLength(1)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })
})

describe('ttl', () => {
  it.each([
    ["the cookie's maxAge", 5_000, {}, 5_000],
    ['the option, for a browser-session cookie', null, { ttl: '2m' }, 120_000],
    ['the cookie before the option', 5_000, { ttl: 1_000_000 }, 5_000],
    ['a function before both', 5_000, { ttl: () => 9_000 }, 9_000],
    ['a day where nothing says', null, {}, 86_400_000],
  ] as const)('is %s', async (_name, maxAge, options, expected) => {
    const store = createStore(options)
    await store.set('a', sessionOf(maxAge))
    const ttl = await client.pttl(`${store.prefix}a`)
    expect(ttl).toBeGreaterThan(expected - 500)
    expect(ttl).toBeLessThanOrEqual(expected)
  })

  it('that is over ends the session', async () => {
    const store = createStore()
    await store.set('a', sessionOf())
    await store.set('a', sessionOf(-1_000))
    expect(await client.exists(`${store.prefix}a`)).toBe(0)
  })

  it('is extended only when a share of it has passed', async () => {
    const store = createStore({ touchAfter: 0.5 })
    await store.set('a', sessionOf(1_000))
    await store.touch('a', sessionOf(1_000))
    const untouched = await client.pttl(`${store.prefix}a`)
    await new Promise((resolve) => setTimeout(resolve, 550))
    expect(await client.pttl(`${store.prefix}a`)).toBeLessThan(untouched - 400)
    await store.touch('a', sessionOf(1_000))
    expect(await client.pttl(`${store.prefix}a`)).toBeGreaterThan(900)
  })

  it('is left alone with disableTouch', async () => {
    const store = createStore({ disableTouch: true, touchAfter: 0 })
    await store.set('a', sessionOf(1_000))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await store.touch('a', sessionOf(60_000))
    expect(await client.pttl(`${store.prefix}a`)).toBeLessThan(950)
  })

  it('ends at the latest after the absolute lifetime, however often it is extended', async () => {
    const store = createStore({ absolute: 800, touchAfter: 0 })
    await store.set('a', sessionOf(700))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await store.set('a', (await store.get('a'))!)
    expect(await client.pttl(`${store.prefix}a`)).toBeLessThanOrEqual(500)
  })
})

describe('bad input', () => {
  it.each([
    ['a nonsense URL', { redis: 'not a url at all' }, /redis/],
    ['port 0', { redis: 'redis://127.0.0.1:0' }, /port|redis/i],
    ['a negative ttl', { ttl: -5 }, /ttl/],
    ['a ttl of 0', { ttl: 0 }, /ttl/],
    ['a prefix of spaces', { prefix: '  ' }, /prefix/],
    ['an empty prefix', { prefix: '' }, /prefix/],
    ['a rule that does not exist', { rule: 'constructor' }, /rule/],
    ['encryption of JSON', { format: 'json', encryption: { keys: ['x'.repeat(32)] } }, /encryption/],
    ['a short key', { encryption: { keys: ['short'] } }, /encryption/],
    ['an operation timeout of 0', { operationTimeout: 0 }, /operationTimeout/],
    ['touchAfter of 2', { touchAfter: 2 }, /touchAfter/],
  ] as const)('%s is refused at once, by name', (_name, options, message) => {
    expect(() => createStore(options as never)).toThrow(message)
    expect(() => createStore(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION' }),
    )
  })

  it('never shows the password of a URL', () => {
    for (const url of [
      'redis://user:s3cret@127.0.0.1:0',
      'redis://user:s3cret@host:70000',
      'http://user:s3cret@host',
      'redis://user:s3c#ret@host',
    ]) {
      try {
        createStore({ redis: url })
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toContain('s3c')
      }
    }
  })

  it.each([undefined, '', '   ', [], ['a', '']])('a secret that is missing is refused: %o', (secret) => {
    expect(() => session({ secret: secret as never, redis: 'memory' })).toThrow(/secret/)
  })

  it('a cyclic session or one with a BigInt is an error, and what was there stays', async () => {
    const store = createStore()
    await store.set('a', sessionOf())
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    for (const extra of [{ cyclic }, { big: 1n }]) {
      await expect(store.set('a', sessionOf(60_000, extra))).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_NOT_SERIALISABLE',
      })
    }
    expect(await store.get('a')).toMatchObject({ user: 'ada' })
  })

  it('a session of 20 MB is an error, and what was there stays', async () => {
    const store = createStore()
    await store.set('a', sessionOf())
    const large = sessionOf(60_000, { text: 'x'.repeat(20 * 1024 ** 2) })
    await expect(store.set('a', large)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_VALUE_TOO_LARGE' })
    expect(await store.get('a')).toMatchObject({ user: 'ada' })
  })

  it.each([
    '{"cookie":{},"__proto__":{"admin":true}}',
    '{"cookie":{},"\\u005f_proto__":{"admin":true}}',
    '{"cookie":{"__proto__":{"admin":true}}}',
  ])('__proto__ in stored JSON sets no prototype: %s', async (json) => {
    const store = createStore()
    await client.set(`${store.prefix}a`, json)
    const loaded = (await store.get('a')) as unknown as { admin?: boolean; cookie: { admin?: boolean } }
    expect({ ...loaded }.admin).toBeUndefined()
    expect(Object.assign({}, loaded).admin).toBeUndefined()
    expect(loaded.cookie.admin).toBeUndefined()
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
    expect(JSON.stringify(loaded)).not.toContain('__proto__')
  })

  it.each(['', 'garbage', '{"cookie":', '123', 'null', '[]', '"text"'])(
    'a corrupt session is none, and an event: %s',
    async (stored) => {
      const store = createStore()
      const events: string[] = []
      store.holdfast.on('entry', ({ problem }) => events.push(problem))
      await client.set(`${store.prefix}a`, stored)
      expect(await store.get('a')).toBeNull()
      expect(events).toEqual(['unreadable'])
    },
  )

  it('a session copied to another id is none, and costs no connection', async () => {
    const store = createStore()
    await store.set('a', sessionOf())
    await client.copy(`${store.prefix}a`, `${store.prefix}b`)
    expect(await store.get('b')).toBeNull()
    expect(await store.get('a')).toMatchObject({ user: 'ada' })
    expect(store.holdfast.health()).toMatchObject({ state: 'healthy', counts: { outages: 0, unreadable: 1 } })
  })

  it('a key of another type is none, and can be overwritten', async () => {
    const store = createStore()
    await client.rpush(`${store.prefix}a`, 'x')
    expect(await store.get('a')).toBeNull()
    await store.set('a', sessionOf())
    expect(await store.get('a')).toMatchObject({ user: 'ada' })
    expect(store.holdfast.state).toBe('healthy')
  })

  it('production without a Redis is an error, unless memory was asked for by name', async () => {
    expect(() => new HoldfastStore({ env: { NODE_ENV: 'production' }, logger: false })).toThrow(/REDIS_URL/)
    const store = new HoldfastStore({ env: { NODE_ENV: 'production' }, redis: 'memory', logger: false })
    stores.push(store)
    await store.set('a', sessionOf())
    expect(await store.get('a')).toMatchObject({ user: 'ada' })
  })

  it('elsewhere it is memory with a warning', () => {
    const lines: string[] = []
    const note = (line: string): void => void lines.push(line)
    stores.push(
      new HoldfastStore({ env: { REDIS_URL: ' ' }, logger: { info: note, warn: note, error: note } }),
    )
    expect(lines).toEqual([expect.stringContaining('REDIS_URL')])
  })
})

describe('over HTTP', () => {
  it('regenerates at login, and logs out', async () => {
    const middleware = session({ secret: 'x', redis: redis.url, logger: false })
    stores.push(middleware.store)
    const site = await serve(application(middleware))
    const browser = site.browser()
    await browser.post('/count')
    const before = browser.cookie
    await browser.post('/login/ada')
    expect(browser.cookie).not.toBe(before)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 0 })
    await browser.post('/logout')
    expect((await browser.get('/me')).body).toMatchObject({ user: null })
    await site.close()
  })

  it('reloads a session, and keeps a logout against a slow writer', async () => {
    const middleware = session({ secret: 'x', redis: redis.url, logger: false })
    stores.push(middleware.store)
    const app = application(middleware)
    let proceed: (() => void) | undefined
    app.post('/slow', (req, res) => {
      req.session.count = 99
      proceed = () => res.json({})
    })
    app.post('/reload', (req, res, next) => {
      req.session.count = 7
      req.session.reload((error) => (error ? next(error) : res.json({ count: req.session.count ?? 0 })))
    })
    const site = await serve(app)
    const browser = site.browser()
    await browser.post('/login/ada')
    expect((await browser.post('/reload')).body).toEqual({ count: 0 })
    const { cookie } = browser
    const slow = browser.post('/slow')
    while (!proceed) await new Promise((resolve) => setTimeout(resolve, 5))
    const other = site.browser()
    other.cookie = cookie
    await other.post('/logout')
    proceed()
    await slow
    other.cookie = cookie
    expect((await other.get('/me')).body).toMatchObject({ user: null, count: 0 })
    await site.close()
  })
})
