import { createHmac } from 'node:crypto'
import {
  eventually,
  startProxy,
  startRedis,
  type Proxy,
  type RedisServer,
} from '@holdfast-internal/test-fixtures'
import type { Request, Response } from 'express'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { degraded, session, type HoldfastSession, type SessionOptions } from '../src/index.ts'
import { application, serve, type Browser, type Site } from './browser.ts'

const secret = 'a secret of the tests, of 32 bytes and more'

let redis: RedisServer
let proxy: Proxy
const open: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
})

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  await proxy.restore()
  await redis.control.command('FLUSHALL')
})

afterAll(async () => {
  await proxy.close()
  await redis.stop()
})

interface Process extends Site {
  readonly auth: HoldfastSession
  readonly log: string[]
}

interface StartOptions extends Partial<SessionOptions> {
  /** Another middleware that comes before. */
  readonly beside?: Partial<SessionOptions>
}

async function start({ beside, ...options }: StartOptions = {}): Promise<Process> {
  const log: string[] = []
  const note = (line: string): void => void log.push(line)
  const auth = session({
    secret,
    redis: proxy.url,
    logger: { info: note, warn: note, error: note },
    userId: ({ user }) => user as string | undefined,
    note: ({ device }) => ({ device }),
    ...options,
  })
  await auth.holdfast.ready()
  const before = beside && session({ redis: proxy.url, logger: false, secret, ...beside })
  if (before) open.push(() => before.close())
  const app = application(...(before ? [before] : []), auth)
  app.get('/state', (req, res) => void res.json({ degraded: degraded(req), user: req.session.user ?? null }))
  app.get('/redirect/:item', (req, res) => {
    req.session.cart = String(req.params.item)
    res.redirect('/me')
  })
  app.get('/stream', (req, res) => {
    res.write('first ')
    setTimeout(() => {
      req.session.cart = 'streamed'
      res.end('last')
    }, 20)
  })
  app.get('/by-hand', (req: Request, res: Response, next) => {
    req.session.cart = 'by hand'
    req.session.save((error) => (error ? next(error) : res.json({ saved: true })))
  })
  app.get('/reload', (req: Request, res: Response, next) => {
    req.session.cart = 'dropped'
    req.session.reload((error) =>
      error ? next(error) : res.json({ user: req.session.user ?? null, cart: req.session.cart ?? null }),
    )
  })
  app.get('/leave', (req, res) => {
    req.session.destroy(() => {})
    res.json({ user: null })
  })
  app.get('/unset', (req, res) => {
    ;(req as { session: unknown }).session = null
    res.json({ user: null })
  })
  const site = await serve(app)
  open.push(async () => {
    await site.close()
    await auth.close()
  })
  return { ...site, auth, log }
}

async function login(process: Process, name = 'ada'): Promise<Browser> {
  const browser = process.browser()
  expect((await browser.post(`/login/${name}`)).status).toBe(200)
  return browser
}

async function outage(...processes: Process[]): Promise<void> {
  await proxy.refuse()
  for (const { auth, browser } of processes) {
    await browser().get('/me')
    await eventually(() => expect(auth.holdfast.state).toBe('degraded'))
  }
}

async function recovery(...processes: Process[]): Promise<void> {
  await proxy.restore()
  for (const { auth } of processes) await eventually(() => expect(auth.holdfast.state).toBe('healthy'))
}

const userOf = async (browser: Browser): Promise<unknown> =>
  ((await browser.get('/me')).body as { user: unknown }).user

describe('the continuity token', () => {
  it('comes with a login, in a cookie of the same attributes that no script can read', async () => {
    const process = await start({ cookie: { maxAge: 60_000, sameSite: 'lax', path: '/', httpOnly: false } })
    const { setCookies } = await process.browser().post('/login/ada')
    expect(setCookies).toHaveLength(2)
    const [own, token] = setCookies.map((line) => line.split('; '))
    expect(own![0]).toMatch(/^connect\.sid=/)
    expect(token![0]).toMatch(/^connect\.sid\.ct=ey[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/)
    // Both expire a minute after they were made, which may be two seconds of the clock.
    const expires = ([, , at]: string[] = []): number => Date.parse(at!.slice('Expires='.length))
    expect([0, 1_000]).toContain(expires(token) - expires(own))
    expect(token!.slice(1)).toEqual([...own!.slice(1).with(1, token![2]!), 'HttpOnly'])
  })

  it('is set when the session changes, and left alone when it does not', async () => {
    const browser = await login(await start())
    const { token } = browser
    expect((await browser.get('/me')).setCookies).toEqual([])
    expect((await browser.post('/count')).setCookies).toHaveLength(1)
    expect(browser.token).not.toBe(token)
    expect((await browser.get('/me')).setCookies).toEqual([])
  })

  it('is set again for a visitor who lost it', async () => {
    const browser = await login(await start())
    browser.token = undefined
    expect((await browser.get('/me')).setCookies).toHaveLength(1)
    expect(browser.token).toBeDefined()
  })

  it('is not given to a visitor without a session', async () => {
    const process = await start()
    expect((await process.browser().get('/me')).setCookies).toEqual([])
    const saving = await start({ saveUninitialized: true })
    expect((await saving.browser().get('/me')).setCookies).toHaveLength(2)
  })

  it('carries a session to a process that has never seen it', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    await browser.post('/count')
    await outage(one, other)
    const elsewhere = browser.copy(other)
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', count: 1 })
    expect((await elsewhere.get('/state')).body).toEqual({ degraded: 'token', user: 'ada' })
    expect((await browser.get('/state')).body).toEqual({ degraded: 'memory', user: 'ada' })
    expect((await elsewhere.post('/count')).body).toEqual({ count: 2 })
    // The token carries what was written to the process that has not seen it.
    expect((await elsewhere.copy(one).get('/me')).body).toMatchObject({ user: 'ada', count: 2 })
    await recovery(one, other)
    expect((await elsewhere.copy(one).get('/me')).body).toMatchObject({ user: 'ada', count: 2 })
    expect((await elsewhere.get('/state')).body).toEqual({ degraded: false, user: 'ada' })
  })

  it.each([
    ['flushed', () => redis.control.command('FLUSHALL')],
    [
      'evicted',
      async () => {
        const [key] = (await redis.control.command('KEYS', 'sess:*')) as [string]
        return redis.control.command('DEL', key)
      },
    ],
  ])('brings a session back that Redis has lost: %s', async (_name, lose) => {
    const process = await start()
    const browser = await login(process)
    const sessionId = ((await browser.get('/me')).body as { id: string }).id
    await lose()
    const visit = await browser.get('/me')
    expect(visit.body).toMatchObject({ user: 'ada', id: sessionId })
    expect(await redis.control.command('KEYS', 'sess:*')).toHaveLength(1)
    expect(process.auth.holdfast.health().counts.sessions.restored).toBe(1)
  })

  it('never brings back a session that was ended, in any process', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    const thief = browser.copy()
    const { setCookies } = await browser.post('/logout')
    expect(setCookies).toHaveLength(2)
    expect(browser.cookie).toBeUndefined()
    expect(browser.token).toBeUndefined()
    await eventually(async () => expect(await userOf(thief.copy(other))).toBeNull())
    await outage(one, other)
    expect(await userOf(thief.copy())).toBeNull()
    expect(await userOf(thief.copy(other))).toBeNull()
    await recovery(one, other)
    await redis.control.command('FLUSHALL')
    expect(await userOf(thief.copy())).toBeNull()
    expect(await userOf(thief.copy(other))).toBeNull()
  })

  it('ends a session everywhere that was ended during an outage', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    const thief = browser.copy()
    expect(await userOf(browser.copy(other))).toBe('ada')
    await outage(one, other)
    expect((await browser.post('/logout')).status).toBe(200)
    expect(await userOf(thief.copy())).toBeNull()
    await recovery(one, other)
    await eventually(async () => expect(await userOf(thief.copy(other))).toBeNull())
    expect(await userOf(thief.copy())).toBeNull()
  })

  it('carries a login of the outage over the recovery, to all', async () => {
    const [one, other] = [await start(), await start()]
    await outage(one, other)
    const browser = await login(one)
    expect(await userOf(browser.copy(other))).toBe('ada')
    await recovery(one, other)
    expect(await userOf(browser.copy(other))).toBe('ada')
    expect(await redis.control.command('KEYS', 'sess:*')).toHaveLength(1)
  })

  it('takes nothing away from a session that nobody here could know', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    browser.token = undefined
    await outage(one, other)
    const elsewhere = browser.copy(other)
    expect((await elsewhere.post('/cart/shoes')).setCookies).toEqual([])
    const visit = await elsewhere.get('/state')
    expect(visit.body).toEqual({ degraded: 'empty', user: null })
    expect(visit.setCookies).toEqual([])
    await recovery(one, other)
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', cart: 'shoes' })
  })

  it('is read from a cookie header as express-session reads its own', async () => {
    const { cookie, token } = await login(await start())
    const two = await start()
    await outage(two)
    const quoted = `connect.sid="${cookie}";connect.sid.ct="${token}"`
    const response = await fetch(`${two.url}/state`, { headers: { cookie: quoted } })
    expect(await response.json()).toEqual({ degraded: 'token', user: 'ada' })
  })

  it('is that of the middleware whose session it is, beside another one of the same name', async () => {
    const ofAdmin = { secret: `${secret}, of admin`, prefix: 'admin:', cookie: { path: '/admin' } }
    const browser = (await start({ beside: ofAdmin })).browser()
    const { setCookies } = await browser.post('/login/ada')
    expect(setCookies).toHaveLength(2)
    const two = await start()
    await outage(two)
    expect((await browser.copy(two).get('/state')).body).toEqual({ degraded: 'token', user: 'ada' })
  })

  it('counts as absent where it is altered, of another session, another secret, or another kind', async () => {
    const [one, other] = [await start(), await start()]
    const [ada, bob] = [await login(one), await login(one, 'bob')]
    await outage(one, other)
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const signed = `${none}.${Buffer.from('{"dat":{"user":"ada"}}').toString('base64url')}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    const [header, , nonce, text, tag] = ada.token!.split('.') as [string, string, string, string, string]
    for (const token of [
      bob.token!,
      '',
      'x'.repeat(20_000),
      `${signed}.`,
      `${signed}.${mac}`,
      `${header}..${nonce}.${text}.${tag.slice(0, -2)}AA`,
      `${header}..${nonce}.${text.slice(1)}.${tag}`,
      `${header}.AA.${nonce}.${text}.${tag}`,
    ]) {
      const browser = ada.copy(other)
      browser.token = token
      const visit = await browser.get('/me')
      expect(visit.status, token.slice(0, 60)).toBe(token.length > 10_000 ? 431 : 200)
      expect((visit.body as { user?: unknown }).user ?? null).toBeNull()
      expect(visit.setCookies).toEqual([])
    }
    expect(await userOf(ada.copy(other))).toBe('ada')
  })

  it('goes on under a rotated secret, and not without it', async () => {
    const old = await start()
    const browser = await login(old)
    const [rotated, foreign] = [
      await start({ secret: ['a new secret, of 32 bytes and more.', secret] }),
      await start({ secret: 'another secret, of 32 bytes and more' }),
    ]
    await outage(old, rotated, foreign)
    expect(await userOf(browser.copy(rotated))).toBe('ada')
    expect(await userOf(browser.copy(foreign))).toBeNull()
    await recovery(rotated)
    const moved = browser.copy(rotated)
    await moved.post('/count')
    expect(moved.token!.split('.')[0]).not.toBe(browser.token!.split('.')[0])
  })

  it('is left out where it would be too long for a cookie, and said once; the one of before is cleared', async () => {
    const [process, other] = [await start(), await start()]
    const browser = await login(process)
    process.auth.store.on('error', () => undefined)
    const big = 'x'.repeat(4_000)
    expect((await browser.post(`/cart/${big}0`)).setCookies).toEqual([
      expect.stringMatching(/^connect\.sid\.ct=; .*Expires=Thu, 01 Jan 1970/),
    ])
    for (let i = 1; i < 3; i++) expect((await browser.post(`/cart/${big}${i}`)).setCookies).toEqual([])
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', cart: `${big}2` })
    expect(process.auth.holdfast.health().counts.sessions.omitted).toBeGreaterThan(0)
    expect(process.log.filter((line) => line.includes('continuity token'))).toHaveLength(1)
    await outage(process, other)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', cart: `${big}2` })
    expect(await userOf(browser.copy(other))).toBeNull()
  })

  it('carries what the application chose', async () => {
    const [one, other] = [
      await start({ continuity: { claims: ({ user }) => ({ user }) } }),
      await start({ continuity: { claims: ({ user }) => ({ user }) } }),
    ]
    const browser = await login(one)
    await browser.post('/cart/secret')
    await outage(one, other)
    const elsewhere = browser.copy(other)
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', cart: null })
    await elsewhere.post('/count')
    await recovery(one, other)
    // What the token left out is still in Redis, beside what the outage added.
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', cart: 'secret', count: 1 })
  })
})

describe('every way to answer', () => {
  it('carries a write over a redirect, at once', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    await outage(one, other)
    expect((await browser.get('/redirect/shoes')).status).toBe(302)
    expect((await browser.copy(other).get('/me')).body).toMatchObject({ user: 'ada', cart: 'shoes' })
  })

  it('keeps a write that came after the headers, in Redis and in memory', async () => {
    const process = await start()
    const browser = await login(process)
    await browser.get('/stream')
    expect((await browser.get('/me')).body).toMatchObject({ cart: 'streamed' })
    await outage(process)
    await browser.post('/cart/other')
    await browser.get('/stream')
    expect((await browser.get('/me')).body).toMatchObject({ cart: 'streamed' })
  })

  it('gives one token for a session that was saved by hand, not newer than its record', async () => {
    const process = await start()
    const browser = await login(process)
    expect((await browser.get('/by-hand')).setCookies).toHaveLength(1)
    expect((await browser.get('/me')).setCookies).toEqual([])
    expect(process.auth.holdfast.health().counts.sessions.completed).toBe(0)
  })

  it('reloads a session from its token', async () => {
    const [one, other] = [await start(), await start()]
    const browser = await login(one)
    await outage(one, other)
    expect((await browser.copy(other).get('/reload')).body).toEqual({ user: 'ada', cart: null })
  })

  it('sets tokens with HEAD and with 304', async () => {
    const process = await start()
    const browser = await login(process)
    browser.token = undefined
    expect((await browser.head('/me')).setCookies).toHaveLength(1)
    const etag = (await browser.get('/me')).headers.get('etag')!
    browser.token = undefined
    const visit = await browser.get('/me', {
      'if-none-match': etag,
      'cache-control': 'max-age=0',
    })
    expect(visit.status).toBe(304)
    expect(visit.setCookies).toHaveLength(1)
  })

  it('clears both cookies after a logout that nobody waits for', async () => {
    const browser = await login(await start())
    const { setCookies } = await browser.get('/leave')
    expect(setCookies).toHaveLength(2)
    expect([browser.cookie, browser.token]).toEqual([undefined, undefined])
  })

  it('clears both cookies where the session is unset', async () => {
    const browser = await login(await start({ unset: 'destroy' }))
    expect((await browser.get('/unset')).setCookies).toHaveLength(2)
    expect(browser.cookie).toBeUndefined()
    const kept = await login(await start())
    expect((await kept.get('/unset')).setCookies).toEqual([])
  })

  it('gives a new token with the new id of a login', async () => {
    const process = await start()
    const browser = await login(process)
    const before = browser.copy()
    await browser.post('/login/bob')
    expect(await userOf(browser)).toBe('bob')
    expect(await userOf(before)).toBeNull()
  })

  it.each([
    [{ proxy: true, cookie: { secure: 'auto' } }, 'https', true],
    [{ proxy: true, cookie: { secure: true } }, 'https', true],
    [{ proxy: true, cookie: { secure: true } }, 'http', false],
    [{ proxy: true, cookie: { secure: 'auto' } }, 'http', true],
    [{ proxy: false, cookie: { secure: true } }, 'https', false],
  ] as const)('follows %o behind a proxy that speaks %s', async (options, proto, isSet) => {
    const process = await start({ ...options, saveUninitialized: true } as Partial<SessionOptions>)
    const browser = process.browser()
    const { setCookies } = await browser.get('/me', { 'x-forwarded-proto': proto })
    expect(setCookies).toHaveLength(isSet ? 2 : 0)
    for (const line of setCookies) expect(line.includes('; Secure')).toBe(proto === 'https')
    if (!isSet) return
    browser.token = undefined
    expect((await browser.get('/me', { 'x-forwarded-proto': proto })).setCookies).toHaveLength(1)
  })

  it('prolongs both cookies of a rolling session', async () => {
    const browser = await login(await start({ rolling: true, cookie: { maxAge: 60_000 } }))
    const { setCookies } = await browser.get('/me')
    expect(setCookies.map((line) => line.split('=')[0])).toEqual(['connect.sid'])
    browser.token = undefined
    expect((await browser.get('/me')).setCookies).toHaveLength(2)
  })

  it('does without, where it is turned off', async () => {
    for (const options of [{ continuity: false }, { rule: 'memory' }, { rule: 'refuse' }] as const) {
      const process = await start(options)
      expect((await process.browser().post('/login/ada')).setCookies).toHaveLength(1)
    }
  })
})

describe("a user's sessions", () => {
  it('are listed, ended one by one, and all but one', async () => {
    const [one, other] = [await start(), await start()]
    const [phone, laptop, tablet] = [await login(one), await login(other), await login(one)]
    const bob = await login(one, 'bob')
    const { sessions } = one.auth
    expect(await sessions.list('ada')).toHaveLength(3)
    expect(await other.auth.sessions.list('ada')).toHaveLength(3)
    const idOf = async (browser: Browser): Promise<string> =>
      ((await browser.get('/me')).body as { id: string }).id
    const handle = sessions.handleOf(await idOf(phone))
    expect(await sessions.endOne('bob', handle)).toBe(false)
    expect(await sessions.endOne('ada', handle)).toBe(true)
    expect(await userOf(phone.copy())).toBeNull()
    const thief = tablet.copy()
    await sessions.endAll('ada', { except: await idOf(laptop) })
    expect(await userOf(laptop)).toBe('ada')
    expect(await userOf(thief.copy())).toBeNull()
    expect(await userOf(bob)).toBe('bob')
    await eventually(async () => expect(await userOf(thief.copy(other))).toBeNull())
    await outage(one, other)
    expect(await userOf(thief.copy(other))).toBeNull()
    expect(await userOf(laptop.copy(one))).toBe('ada')
    const again = await login(one)
    expect(await userOf(again.copy(other))).toBe('ada')
    await recovery(one, other)
    expect(await userOf(again.copy(other))).toBe('ada')
    expect(await sessions.list('ada')).toHaveLength(2)
  })

  it('need to be told apart', async () => {
    const process = await start({ userId: undefined })
    await expect(process.auth.sessions.list('ada')).rejects.toThrow(/userId/)
  })
})

describe('token first', () => {
  it('serves a young token without asking Redis, and an ended one not at all', async () => {
    const [one, other] = [
      await start({ continuity: { trustFor: '30s' } }),
      await start({ continuity: { trustFor: '30s' } }),
    ]
    const browser = await login(one)
    const commands = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(String(await redis.control.command('INFO', 'stats')))![1])
    const before = await commands()
    for (let i = 0; i < 20; i++) expect(await userOf(browser.copy(other))).toBe('ada')
    expect((await commands()) - before).toBeLessThan(6)
    await browser.post('/count')
    expect((await browser.copy(other).get('/me')).body).toMatchObject({ count: 1 })
    const thief = browser.copy(other)
    await browser.post('/logout')
    await eventually(async () => expect(await userOf(thief.copy())).toBeNull())
  })
})
