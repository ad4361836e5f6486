import { createHmac } from 'node:crypto'
import { eventually } from '@holdfast-internal/test-fixtures'
import type { Request } from 'express'
import expressSession, { type SessionData } from 'express-session'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { session } from '../src/index.ts'
import type { Visit } from './browser.ts'
import {
  secret,
  serveApplication,
  startOurs,
  theirs,
  usual,
  type Application,
  type Handler,
  type Options,
  type Ours,
  type Routes,
  type Setting,
  type Subject,
} from './express-session-application.ts'

/*
 * What the README of express-session 1.19 and its code promise, held against its own MemoryStore and against ours on a
 * real Redis. The cases look at the session cookie; ours sets the token's beside it.
 */

let our: Ours
const open: Application[] = []

const ours = (options: Options): Subject => our.create(options)

beforeAll(async () => {
  our = await startOurs()
})

afterEach(async () => {
  for (const site of open.splice(0)) await site.close()
})

afterAll(() => our.stop())

async function serveWith(subject: Subject, setting: Setting = {}): Promise<Application> {
  const site = await serveApplication(subject, setting)
  open.push(site)
  return site
}

interface SessionCookie {
  readonly id: string
  readonly value: string
  readonly attributes: string[]
  /** In ms from now; `undefined` for a cookie that goes with the browser. */
  readonly life: number | undefined
}

/** The session cookie that a response set. */
function cookieOf({ setCookies }: Visit, name = 'connect.sid'): SessionCookie | undefined {
  const lines = setCookies.filter((line) => line.startsWith(`${name}=`))
  expect(lines.length).toBeLessThan(2)
  if (!lines[0]) return undefined
  const [pair, ...attributes] = lines[0].split('; ') as [string, ...string[]]
  const value = pair.slice(name.length + 1)
  const expires = attributes.find((attribute) => attribute.startsWith('Expires='))?.slice(8)
  const id = decodeURIComponent(value).slice(2).split('.')[0]!
  return { id, value, attributes, life: expires ? Date.parse(expires) - Date.now() : undefined }
}

function signed(id: string, key = secret): string {
  const signature = createHmac('sha256', key).update(id).digest('base64').replace(/=+$/, '')
  return encodeURIComponent(`s:${id}.${signature}`)
}

function call<T>(ask: (done: (error: unknown, value?: T) => void) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(error as Error) : resolve(value)))
  })
}

const stored = async (store: expressSession.Store, id: string): Promise<SessionData | null> =>
  (await call<SessionData | null>((done) => store.get(id, done))) ?? null

const put = (store: expressSession.Store, id: string, data: SessionData): Promise<unknown> =>
  call((done) => store.set(id, data, done))

const countOf = (store: expressSession.Store): Promise<number | undefined> =>
  call<number>((done) => store.length!(done))

function dataOf(extra: object = {}, maxAge: number | null = 60_000): SessionData {
  const cookie = new expressSession.Cookie()
  if (maxAge !== null) cookie.maxAge = maxAge
  return { cookie, ...extra }
}

const about = (ms: number, actual: number | undefined): void => {
  // `Expires` has whole seconds.
  expect(actual).toBeGreaterThan(ms - 2_500)
  expect(actual).toBeLessThanOrEqual(ms + 500)
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe.each([
  ["express-session's MemoryStore", theirs],
  ['session(), on Redis', ours],
])("express-session's own expectations, with %s", (_name, create) => {
  describe("a request's session", () => {
    it('is new for a visitor without a cookie, and comes with a signed one', async () => {
      const site = await serveWith(create({ saveUninitialized: true }))
      const visit = await site.browser().get('/')
      const cookie = cookieOf(visit)!
      expect(visit.body).toEqual({ id: cookie.id, count: null })
      expect(cookie.id).toMatch(/^[\w-]{32}$/)
      expect(cookie.value).toBe(signed(cookie.id))
      expect(cookie.attributes).toEqual(['Path=/', 'HttpOnly'])
      expect(await countOf(site.store)).toBe(1)
    })

    it('is the same on the next visit, with what it held', async () => {
      const site = await serveWith(create({}))
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      await browser.get('/count')
      expect((await browser.get('/')).body).toEqual({ id, count: 2 })
    })

    it('is another for each visitor', async () => {
      const site = await serveWith(create({}))
      const visits = await Promise.all(Array.from({ length: 10 }, () => site.browser().get('/count')))
      expect(new Set(visits.map((visit) => cookieOf(visit)!.id)).size).toBe(10)
      expect(await countOf(site.store)).toBe(10)
    })

    it('has its id, and lists nothing but its cookie and its data', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/look': (req, res) => {
            const own = Object.keys(req.session)
            const all: string[] = []
            for (const key in req.session) all.push(key)
            res.json({ own, all, isId: req.session.id === req.sessionID })
          },
        },
      })
      const browser = site.browser()
      expect((await browser.get('/look')).body).toEqual({ own: ['cookie'], all: ['cookie'], isId: true })
      await browser.get('/count')
      const { body } = (await browser.get('/look')) as { body: { own: string[]; all: string[] } }
      expect(body.own.sort()).toEqual(['cookie', 'count'])
      expect(body.all.sort()).toEqual(['cookie', 'count'])
    })

    it('keeps its methods whatever the store holds under their names', async () => {
      const site = await serveWith(create({}))
      await put(site.store, 'mine', dataOf({ id: 'x', req: 'x', save: 'x', regenerate: 'x', count: 3 }))
      const browser = site.browser()
      browser.cookie = signed('mine')
      expect((await browser.get('/')).body).toEqual({ id: 'mine', count: 3 })
      expect((await browser.get('/count')).body).toEqual({ count: 4 })
    })

    it('is a new one, of another id, where the cookie is not a signed one of a session', async () => {
      const site = await serveWith(create({ saveUninitialized: true }))
      await Promise.all(['mine', 'yours'].map((id) => put(site.store, id, dataOf({ count: 3 }))))
      for (const [why, cookie] of Object.entries({
        'unknown to the store': signed('unknown'),
        'another signature': `${signed('mine').slice(0, -3)}AAA`,
        'another id': signed('mine').replace('mine', 'yours'),
        'another secret': signed('mine', 'another secret'),
        'not signed': 'mine',
        empty: '',
        'cannot be decoded': '%E0%A4%A',
      })) {
        const browser = site.browser()
        browser.cookie = cookie
        const visit = await browser.get('/')
        expect(visit.body, why).toMatchObject({ count: null })
        expect(cookieOf(visit)?.id, why).toMatch(/^[\w-]{32}$/)
      }
      expect(await stored(site.store, 'mine')).toMatchObject({ count: 3 })
    })

    it('is a new one once the old one has expired', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60 } }))
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      const { cookie } = browser
      await later(90)
      browser.cookie = cookie
      expect((await browser.get('/')).body).toMatchObject({ count: null })
      expect(await stored(site.store, id)).toBeNull()
    })

    it('fails the request where what is stored has no cookie', async () => {
      const site = await serveWith(create({}))
      await put(site.store, 'mine', { count: 3 } as unknown as SessionData)
      const browser = site.browser()
      browser.cookie = signed('mine')
      expect((await browser.get('/')).status).toBe(500)
      expect(site.errors).toHaveLength(1)
    })

    it("fails the request where the store's `get` fails, but for ENOENT", async () => {
      const site = await serveWith(create({}))
      const browser = site.browser()
      browser.cookie = signed('mine')
      site.replace('get', (_id: string, done: (error: Error) => void) => done(new Error('boom')))
      expect((await browser.get('/')).status).toBe(500)
      expect(site.errors.map(({ message }) => message)).toEqual(['boom'])
      site.replace('get', (_id: string, done: (error: Error) => void) =>
        done(Object.assign(new Error('gone'), { code: 'ENOENT' })),
      )
      expect((await browser.get('/')).body).toMatchObject({ count: null })
    })

    it('is made once where the middleware is used twice', async () => {
      const subject = create({ saveUninitialized: true })
      const site = await serveWith(subject, { before: subject.middleware })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      await browser.get('/count')
      expect((await browser.get('/')).body).toEqual({ id, count: 2 })
      expect(site.asked).toEqual(['set', 'get', 'set', 'get', 'touch'])
    })

    it('is absent while the store says that it is disconnected', async () => {
      const site = await serveWith(create({ saveUninitialized: true }), {
        routes: { '/': (req, res) => res.json({ has: req.session !== undefined }) },
      })
      site.store.emit('disconnect')
      const visit = await site.browser().get('/')
      expect([visit.body, visit.setCookies]).toEqual([{ has: false }, []])
      site.store.emit('connect')
      expect((await site.browser().get('/')).body).toEqual({ has: true })
    })

    it("is absent outside of the cookie's path", async () => {
      const look: Handler = (req, res) => res.json({ has: req.session !== undefined })
      const site = await serveWith(create({ saveUninitialized: true, cookie: { path: '/admin' } }), {
        routes: { '/': look, '/admin/users': look },
      })
      const outside = await site.browser().get('/')
      expect([outside.body, outside.setCookies]).toEqual([{ has: false }, []])
      const inside = await site.browser().get('/admin/users')
      expect(inside.body).toEqual({ has: true })
      expect(cookieOf(inside)!.attributes).toContain('Path=/admin')
    })
  })

  describe('the option cookie', () => {
    it.each<[string, expressSession.CookieOptions, string[]]>([
      ['nothing', {}, ['Path=/', 'HttpOnly']],
      ['maxAge: null', { maxAge: null as never }, ['Path=/', 'HttpOnly']],
      ['path', { path: '/' }, ['Path=/', 'HttpOnly']],
      ['domain', { domain: 'example.com' }, ['Domain=example.com', 'Path=/', 'HttpOnly']],
      ['httpOnly: false', { httpOnly: false }, ['Path=/']],
      ['sameSite: true', { sameSite: true }, ['Path=/', 'HttpOnly', 'SameSite=Strict']],
      ['sameSite: false', { sameSite: false }, ['Path=/', 'HttpOnly']],
      ['sameSite: lax', { sameSite: 'lax' }, ['Path=/', 'HttpOnly', 'SameSite=Lax']],
      ['sameSite: none', { sameSite: 'none' }, ['Path=/', 'HttpOnly', 'SameSite=None']],
      ['sameSite: auto', { sameSite: 'auto' as never }, ['Path=/', 'HttpOnly', 'SameSite=Lax']],
      ['priority', { priority: 'high' }, ['Path=/', 'HttpOnly', 'Priority=High']],
      ['partitioned', { partitioned: true }, ['Path=/', 'HttpOnly', 'Partitioned']],
      ['secure: auto', { secure: 'auto' }, ['Path=/', 'HttpOnly']],
    ])('sets the attributes: %s', async (_name, cookie, attributes) => {
      const site = await serveWith(create({ saveUninitialized: true, cookie }))
      expect(cookieOf(await site.browser().get('/'))!.attributes).toEqual(attributes)
    })

    it.each<[string, () => expressSession.CookieOptions, number]>([
      ['maxAge', () => ({ maxAge: 60_000 }), 60_000],
      ['expires', () => ({ expires: new Date(Date.now() + 60_000) }), 60_000],
      [
        'maxAge, where it is the last',
        () => ({ expires: new Date(Date.now() + 60_000), maxAge: 9_000 }),
        9_000,
      ],
      [
        'expires, where it is the last',
        () => ({ maxAge: 9_000, expires: new Date(Date.now() + 60_000) }),
        60_000,
      ],
    ])('limits the life of the cookie: %s', async (_name, cookie, life) => {
      const site = await serveWith(create({ cookie: cookie() }))
      about(life, cookieOf(await site.browser().get('/count'))!.life)
    })

    it('may be a function of the request', async () => {
      const cookie = (req: Request) => ({ path: `/${req.url.split('/')[1]}`, maxAge: 60_000 })
      const site = await serveWith(create({ cookie } as Options), {
        routes: { '/shop/count': usual['/count'] },
      })
      const set = cookieOf(await site.browser().get('/shop/count'))!
      expect(set.attributes).toContain('Path=/shop')
      about(60_000, set.life)
    })

    it('of one session that cannot be written spoils no answer', { timeout: 2_000 }, async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/domain': (req, res) => {
            req.session.user = 'ada'
            req.session.cookie.domain = 'a;b'
            res.end()
          },
        },
      })
      const browser = site.browser()
      await browser.get('/count')
      const visit = await browser.get('/domain')
      expect(visit.status).toBe(200)
      expect(visit.setCookies.filter((line) => line.includes('a;b'))).toEqual([])
      expect((await browser.get('/')).body).toMatchObject({ count: 1 })
    })

    it('that cannot be written is an error, and spoils no answer', async () => {
      const site = await serveWith(create({ saveUninitialized: true, cookie: { domain: 'a;b' } }))
      const visit = await site.browser().get('/')
      expect([visit.status, visit.setCookies]).toEqual([200, []])
      await eventually(() => expect(site.errors).toHaveLength(1))
    })
  })

  describe('the options secure and proxy', () => {
    const forwarded = (proto: string) => ({ 'x-forwarded-proto': proto })

    it.each<[boolean | undefined, boolean, string, boolean]>([
      [true, false, 'https', true],
      [true, false, 'HTTPS, http', true],
      [true, false, 'http', false],
      [true, false, 'http, https', false],
      [false, false, 'https', false],
      [false, true, 'https', false],
      [undefined, false, 'https', false],
      [undefined, true, 'https', true],
      [undefined, true, 'http', false],
    ])(
      'proxy %s, with "trust proxy" %s: a secure cookie behind %s is set: %s',
      async (proxy, trustProxy, proto, isSet) => {
        const site = await serveWith(
          create({ saveUninitialized: true, proxy, cookie: { secure: true, maxAge: 5_000 } }),
          { trustProxy },
        )
        const cookie = cookieOf(await site.browser().get('/', forwarded(proto)))
        expect(cookie !== undefined).toBe(isSet)
        if (cookie) expect(cookie.attributes).toContain('Secure')
        // The session is there either way.
        expect(await countOf(site.store)).toBe(1)
      },
    )

    it('know a connection that is encrypted itself', async () => {
      const site = await serveWith(create({ proxy: false, cookie: { secure: true } }), {
        before: (req, _res, next) => {
          Object.defineProperty(req.socket, 'encrypted', { configurable: true, value: true })
          next()
        },
      })
      expect(cookieOf(await site.browser().get('/count'))!.attributes).toContain('Secure')
    })

    it.each([
      ['https', ['Path=/', 'HttpOnly', 'Secure', 'SameSite=None']],
      ['http', ['Path=/', 'HttpOnly', 'SameSite=Lax']],
    ])('choose by themselves with auto: %s', async (proto, attributes) => {
      const cookie = { secure: 'auto', sameSite: 'auto' as never } as const
      const site = await serveWith(create({ proxy: true, cookie }))
      expect(cookieOf(await site.browser().get('/count', forwarded(proto)))!.attributes).toEqual(attributes)
    })

    it.each(['/destroy', '/unset'])(
      'auto is nothing to a session that ends: %s',
      { timeout: 2_000 },
      async (path) => {
        const cookie = { secure: 'auto', sameSite: 'auto' as never } as const
        const site = await serveWith(create({ cookie, unset: 'destroy' }), {
          routes: {
            '/destroy': (req, res) => req.session.destroy(() => res.end()),
            '/unset': (req, res) => (((req as { session: unknown }).session = null), res.end()),
          },
        })
        const browser = site.browser()
        await browser.get('/count')
        expect((await browser.get(path)).status).toBe(200)
        expect(await countOf(site.store)).toBe(0)
      },
    )
  })

  describe('the options name, genid and secret', () => {
    it('name: the cookie has it, in both directions', async () => {
      const site = await serveWith(create({ name: 'sid' }), { cookieName: 'sid' })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'), 'sid')!
      expect((await browser.get('/')).body).toEqual({ id, count: 1 })
    })

    it('genid: makes the ids, out of the request', async () => {
      const genid = (req: Request) => `made-for-${req.get('x-who')}`
      const site = await serveWith(create({ genid }))
      const visit = await site.browser().get('/count', { 'x-who': 'ada' })
      expect(cookieOf(visit)!.id).toBe('made-for-ada')
      expect(await stored(site.store, 'made-for-ada')).toMatchObject({ count: 1 })
    })

    it(
      'genid: that gives no id leaves the session unsaved, and sets no cookie',
      { timeout: 2_000 },
      async () => {
        const site = await serveWith(create({ saveUninitialized: true, genid: () => undefined as never }))
        const visit = await site.browser().get('/count')
        expect([visit.body, cookieOf(visit), site.asked]).toEqual([{ count: 1 }, undefined, []])
      },
    )

    it('secret: the first of several signs, all are accepted', async () => {
      const secrets = ['a new secret, of 32 bytes and more..', 'an old secret, of 32 bytes and more.']
      const site = await serveWith(create({ secret: secrets, cookie: { maxAge: 60_000 } }))
      await put(site.store, 'mine', dataOf({ count: 3 }))
      const browser = site.browser()
      browser.cookie = signed('mine', secrets[1])
      expect((await browser.get('/')).body).toEqual({ id: 'mine', count: 3 })
      expect(cookieOf(await browser.get('/count'))!.value).toBe(signed('mine', secrets[0]))
      expect((await browser.get('/')).body).toEqual({ id: 'mine', count: 4 })
    })

    it('secret: may be bytes', async () => {
      const site = await serveWith(create({ secret: Buffer.from(secret) as never }))
      const browser = site.browser()
      const { id, value } = cookieOf(await browser.get('/count'))!
      expect(value).toBe(signed(id))
      expect((await browser.get('/')).body).toEqual({ id, count: 1 })
    })

    it.each<[string, Options]>([
      ['genid', { genid: 'no function' as never }],
      ['unset', { unset: 'forget' as never }],
      ['secret', { secret: [] }],
    ])('%s is refused at once where it cannot be right', (option, options) => {
      expect(() => create(options)).toThrow(option)
    })
  })

  describe('the options resave, saveUninitialized and rolling', () => {
    it.each([
      [true, ['set', 'get', 'set']],
      [false, ['set', 'get', 'touch']],
    ])('resave: %s, for a session that is not modified', async (resave, asked) => {
      const site = await serveWith(create({ resave }))
      const browser = site.browser()
      await browser.get('/count')
      await browser.get('/')
      expect(site.asked).toEqual(asked)
    })

    it('resave saves no session that is new and not modified', async () => {
      const site = await serveWith(create({ resave: true }))
      const visit = await site.browser().get('/')
      expect([cookieOf(visit), site.asked]).toEqual([undefined, []])
    })

    it.each([
      [true, '/', true],
      [true, '/count', true],
      [false, '/', false],
      [false, '/count', true],
    ])('saveUninitialized: %s, at %s: saved and set: %s', async (saveUninitialized, path, isSaved) => {
      const site = await serveWith(create({ saveUninitialized }))
      const visit = await site.browser().get(path)
      expect(cookieOf(visit) !== undefined).toBe(isSaved)
      expect(site.asked).toEqual(isSaved ? ['set'] : [])
      expect(await countOf(site.store)).toBe(isSaved ? 1 : 0)
    })

    it.each([
      ['rolling', true, 60_000, '/', true],
      ['rolling, without maxAge', true, undefined, '/', true],
      ['not rolling', false, 60_000, '/', false],
      ['not rolling, modified', false, 60_000, '/count', true],
      ['not rolling, modified, without maxAge', false, undefined, '/count', false],
    ])('the cookie of a session that was loaded, %s: %s', async (_name, rolling, maxAge, path, isSet) => {
      const site = await serveWith(create({ rolling, cookie: { maxAge } }))
      const browser = site.browser()
      const first = cookieOf(await browser.get('/count'))!
      const cookie = cookieOf(await browser.get(path))
      expect(cookie?.value).toBe(isSet ? first.value : undefined)
      if (cookie && maxAge !== undefined) about(maxAge, cookie.life)
    })

    it('rolling sets no cookie for a session that is new and not modified', async () => {
      const site = await serveWith(create({ rolling: true, cookie: { maxAge: 60_000 } }))
      expect((await site.browser().get('/')).setCookies).toEqual([])
    })
  })

  describe('the option unset', () => {
    const routes: Routes = {
      '/null': (req, res) => {
        req.session.count = 99
        ;(req as { session: unknown }).session = null
        res.end()
      },
      '/delete': (req, res) => {
        delete (req as Partial<Request>).session
        res.end()
      },
    }

    it.each(['/null', '/delete'])('keep: the session stays as it was (%s)', async (path) => {
      const site = await serveWith(create({ unset: 'keep' }), { routes })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      expect((await browser.get(path)).setCookies).toEqual([])
      expect((await browser.get('/')).body).toEqual({ id, count: 1 })
    })

    it.each(['/null', '/delete'])('destroy: the session is gone (%s)', async (path) => {
      const site = await serveWith(create({ unset: 'destroy' }), { routes })
      const browser = site.browser()
      const { id, value } = cookieOf(await browser.get('/count'))!
      await browser.get(path)
      expect(await stored(site.store, id)).toBeNull()
      browser.cookie = value
      expect((await browser.get('/')).body).toMatchObject({ count: null })
    })

    it('destroy: is nothing to a session that was never saved', async () => {
      const site = await serveWith(create({ unset: 'destroy' }), { routes })
      expect((await site.browser().get('/null')).status).toBe(200)
      expect(await countOf(site.store)).toBe(0)
    })

    it('destroy: an error of the store reaches the error handler, and the answer ends', async () => {
      const site = await serveWith(create({ unset: 'destroy' }), { routes })
      const browser = site.browser()
      await browser.get('/count')
      site.replace('destroy', (_id: string, done: (error: Error) => void) => done(new Error('boom')))
      expect((await browser.get('/null')).status).toBe(200)
      await eventually(() => expect(site.errors.map(({ message }) => message)).toEqual(['boom']))
    })
  })

  describe('a save', () => {
    it('is made once, and only of what was modified', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/same': (req, res) => {
            const { count } = req.session
            req.session.count = 99
            req.session.count = count!
            res.end()
          },
          '/nested': (req, res) => {
            const held = req.session as unknown as { cart: { items?: string[] } }
            held.cart ??= {}
            held.cart.items = [...(held.cart.items ?? []), 'shoes']
            res.end()
          },
          '/cookie': (req, res) => {
            req.session.cookie.maxAge = 5_000
            res.end()
          },
        },
      })
      const browser = site.browser()
      for (const path of ['/count', '/count', '/same', '/nested', '/nested', '/cookie', '/'])
        await browser.get(path)
      expect(site.asked.filter((method) => method !== 'get')).toEqual([
        'set',
        'set',
        'touch',
        'set',
        'set',
        'touch',
        'touch',
      ])
      const [id] = [decodeURIComponent(browser.cookie!).slice(2).split('.')[0]!]
      expect(await stored(site.store, id)).toMatchObject({ count: 2, cart: { items: ['shoes', 'shoes'] } })
    })

    it('by hand is not made again, unless the session changes after it', async () => {
      const byHand =
        (after?: number): Handler =>
        (req, res, next) => {
          req.session.count = (req.session.count ?? 0) + 1
          req.session.save((error) => {
            if (error) return next(error)
            if (after !== undefined) req.session.count = after
            res.end()
          })
        }
      const site = await serveWith(create({}), { routes: { '/save': byHand(), '/and-more': byHand(50) } })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/save'))!
      expect(site.asked).toEqual(['set'])
      await browser.get('/save')
      expect(site.asked).toEqual(['set', 'get', 'set', 'touch'])
      expect(await stored(site.store, id)).toMatchObject({ count: 2 })
      await browser.get('/and-more')
      expect(await stored(site.store, id)).toMatchObject({ count: 50 })
    })

    it('is over before the answer is, however that is given', async () => {
      const ways: Record<string, [string, Handler]> = {
        text: ['whole', (_req, res) => res.end('whole')],
        bytes: ['whole', (_req, res) => res.end(Buffer.from('whole'))],
        encoded: ['whole', (_req, res) => res.end('77686f6c65', 'hex')],
        length: ['whole', (_req, res) => res.set('content-length', '5').end('whole')],
        nothing: ['', (_req, res) => res.end()],
        null: ['', (_req, res) => res.end(null)],
        empty: ['', (_req, res) => res.end('')],
        writes: ['whole', (_req, res) => void (res.write('who'), res.end('le'))],
        twice: ['whole', (_req, res) => void (res.end('whole'), res.end('twice'))],
        json: ['whole', (_req, res) => res.json('whole')],
      }
      const site = await serveWith(create({}), {
        routes: {
          '/:way': (req, res, next) => {
            req.session.count = 1
            return ways[String(req.params['way'])]![1](req, res, next)
          },
        },
      })
      let saves = 0
      const set = site.store.set.bind(site.store)
      site.replace('set', (id: string, data: SessionData, done: (error?: unknown) => void) =>
        setTimeout(() => {
          saves++
          set(id, data, done)
        }, 10),
      )
      for (const [way, [body]] of Object.entries(ways)) {
        const before = saves
        const visit = await site.browser().get(`/${way}`)
        expect([visit.status, visit.body, saves - before], way).toEqual([200, body, 1])
        expect(await stored(site.store, cookieOf(visit)!.id)).toMatchObject({ count: 1 })
      }
    })

    it('has what was changed between two writes of a stream', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/stream': async (req, res) => {
            res.write('first ')
            await later(10)
            req.session.count = 7
            res.end('last')
          },
        },
      })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      expect((await browser.get('/stream')).body).toBe('first last')
      expect(await stored(site.store, id)).toMatchObject({ count: 7 })
    })

    it.each(['set', 'touch'] as const)(
      'that fails reaches the error handler, and the answer ends (%s)',
      async (method) => {
        const site = await serveWith(create({}))
        const browser = site.browser()
        await browser.get('/count')
        site.replace(method, (_id: string, _data: unknown, done: (error: Error) => void) =>
          setImmediate(done, new Error('boom')),
        )
        const visit = await browser.get(method === 'set' ? '/count' : '/')
        expect([visit.status, visit.body]).toMatchObject([200, { count: method === 'set' ? 2 : 1 }])
        await eventually(() => expect(site.errors.map(({ message }) => message)).toEqual(['boom']))
      },
    )

    it('is made where the handler fails', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/fail': (req) => {
            req.session.count = 5
            throw new Error('of the handler')
          },
        },
      })
      const browser = site.browser()
      const visit = await browser.get('/fail')
      expect(visit.status).toBe(500)
      expect((await browser.get('/')).body).toEqual({ id: cookieOf(visit)!.id, count: 5 })
    })

    it('of what has no JSON throws out of `res.end`, after which no answer ends', async () => {
      const thrown: unknown[] = []
      const site = await serveWith(create({}), {
        routes: {
          '/big': (req, res) => {
            Object.assign(req.session, { big: 1n })
            try {
              res.json({})
            } catch (error) {
              thrown.push(error)
              throw error
            }
          },
        },
      })
      const answer = fetch(`${site.url}/big`, { signal: AbortSignal.timeout(300) })
      await expect(answer).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(thrown).toEqual([expect.any(TypeError)])
      // The error handler's own answer is that which does not end.
      expect(site.errors).toEqual(thrown)
      expect(site.asked).toEqual([])
    })

    it('is made with HEAD, a redirect, 204 and 304', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/redirect': (req, res) => ((req.session.count = 2), res.redirect('/')),
          '/none': (req, res) => ((req.session.count = 3), res.sendStatus(204)),
          '/etag': (req, res) => ((req.session.count = 4), res.set('etag', '"same"').send('text')),
        },
      })
      const browser = site.browser()
      const { id } = cookieOf(await browser.head('/count'))!
      expect(await stored(site.store, id)).toMatchObject({ count: 1 })
      expect((await browser.get('/redirect')).status).toBe(302)
      expect(await stored(site.store, id)).toMatchObject({ count: 2 })
      expect((await browser.get('/none')).status).toBe(204)
      expect(await stored(site.store, id)).toMatchObject({ count: 3 })
      const conditional = { 'if-none-match': '"same"', 'cache-control': 'max-age=0' }
      expect((await browser.get('/etag', conditional)).status).toBe(304)
      expect(await stored(site.store, id)).toMatchObject({ count: 4 })
    })

    it('leaves the other cookies and headers of the answer alone', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/cookies': (req, res) => {
            req.session.count = 1
            res.cookie('theme', 'dark')
            res.writeHead(201, { 'x-own': 'yes' })
            res.end()
          },
        },
      })
      const visit = await site.browser().get('/cookies')
      expect([visit.status, visit.headers.get('x-own')]).toEqual([201, 'yes'])
      expect(visit.setCookies[0]).toMatch(/^theme=dark/)
      expect(cookieOf(visit)).toBeDefined()
    })
  })

  describe('requests at the same time', () => {
    it('see each its own session object, and leave one of their values', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/slow': async (req, res) => {
            const own = Number(req.query['value'])
            req.session.count = own
            await later(10)
            res.json({ isOwn: req.session.count === own })
          },
        },
      })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      const values = [11, 12, 13, 14, 15]
      const visits = await Promise.all(values.map((value) => browser.copy().get(`/slow?value=${value}`)))
      for (const visit of visits) expect(visit.body).toEqual({ isOwn: true })
      expect(values).toContain((await stored(site.store, id))!.count)
    })

    it('take no cookie back that a login among them has set', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/login': (req, res) => req.session.regenerate(() => ((req.session.user = 'ada'), res.end())),
        },
      })
      const browser = site.browser()
      await browser.get('/count')
      const before = browser.copy()
      await browser.get('/login')
      // It was sent before the answer to the login came, and its own answer comes after that.
      expect((await before.get('/')).setCookies).toEqual([])
    })

    it('do not take a change back that one of them did not make', async () => {
      const site = await serveWith(create({}), {
        routes: { '/wait': async (_req, res) => (await later(40), res.end()) },
      })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      const waiting = browser.copy().get('/wait')
      await later(10)
      await browser.get('/count')
      await waiting
      expect(await stored(site.store, id)).toMatchObject({ count: 2 })
    })
  })

  describe("a session's methods", () => {
    it('regenerate: another id, nothing in it, and the old one is gone', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/regenerate': (req, res, next) => {
            const before = req.session
            req.session.regenerate((error) => {
              if (error) return next(error)
              const { session: after, sessionID } = req
              req.session.user = 'ada'
              res.json({ isNew: before !== after, count: after.count ?? null, isId: after.id === sessionID })
            })
          },
        },
      })
      const browser = site.browser()
      const before = cookieOf(await browser.get('/count'))!
      const visit = await browser.get('/regenerate')
      expect(visit.body).toEqual({ isNew: true, count: null, isId: true })
      const after = cookieOf(visit)!
      expect(after.id).not.toBe(before.id)
      expect(await stored(site.store, before.id)).toBeNull()
      expect(await stored(site.store, after.id)).toMatchObject({ user: 'ada' })
      expect((await browser.get('/')).body).toMatchObject({ id: after.id })
    })

    it('reload: what the store has, in a new object that is saved like any other', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/reload': (req, res, next) => {
            const before = req.session
            req.session.count = 99
            req.session.reload((error) => {
              if (error) return next(error)
              const { count } = req.session
              req.session.user = 'ada'
              res.json({ isNew: before !== req.session, count })
            })
          },
        },
      })
      const browser = site.browser()
      const { id } = cookieOf(await browser.get('/count'))!
      expect((await browser.get('/reload')).body).toEqual({ isNew: true, count: 1 })
      expect(await stored(site.store, id)).toMatchObject({ count: 1, user: 'ada' })
    })

    it('reload: fails where the session is gone', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/reload': (req, res, next) => {
            req.sessionStore.destroy(req.sessionID, () =>
              req.session.reload((error) => (error ? next(error) : res.end())),
            )
          },
        },
      })
      const browser = site.browser()
      await browser.get('/count')
      expect((await browser.get('/reload')).status).toBe(500)
      expect(site.errors[0]!.message).toBe('failed to load session')
    })

    it('destroy: the request has no session any more, nor has the store', async () => {
      const site = await serveWith(create({}), {
        routes: {
          '/destroy': (req, res, next) => {
            req.session.destroy((error) => (error ? next(error) : res.json({ has: Boolean(req.session) })))
          },
        },
      })
      const browser = site.browser()
      const { id, value } = cookieOf(await browser.get('/count'))!
      expect((await browser.get('/destroy')).body).toEqual({ has: false })
      expect(site.asked).toEqual(['set', 'get', 'destroy'])
      expect(await stored(site.store, id)).toBeNull()
      browser.cookie = value
      expect((await browser.get('/')).body).toMatchObject({ count: null })
    })

    it('touch and resetMaxAge: the whole life again', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000 } }), {
        routes: {
          '/touch': (req, res) => {
            const { session: own } = req
            own.cookie.expires = new Date(Date.now() + 1_000)
            own.cookie.originalMaxAge = 60_000
            const before = own.cookie.maxAge
            const isChained = own.touch() === own && own.resetMaxAge() === own
            const after = own.cookie.maxAge
            res.json({ before, after, isChained })
          },
        },
      })
      const { body } = (await site.browser().get('/touch')) as { body: Record<string, number> }
      expect(body).toMatchObject({ isChained: true })
      expect(body['before']).toBeLessThanOrEqual(1_000)
      about(60_000, body['after'])
    })
  })

  describe("a session's cookie", () => {
    it('counts down, and begins again with each request; what it began with stays', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000 } }), {
        routes: {
          '/look': async (req, res) => {
            const { maxAge: before, originalMaxAge } = req.session.cookie
            await later(20)
            res.json({ before, after: req.session.cookie.maxAge, originalMaxAge })
          },
        },
      })
      const browser = site.browser()
      await browser.get('/count')
      const began = new Set<number | undefined>()
      for (let visits = 0; visits < 2; visits++) {
        const { body } = (await browser.get('/look')) as { body: Record<string, number> }
        // express-session reads its own clock twice as it makes a cookie.
        about(60_000, body['originalMaxAge'])
        began.add(body['originalMaxAge'])
        expect(body['after']).toBeLessThan(body['before']!)
        about(60_000, body['before'])
      }
      expect(began.size).toBe(1)
    })

    it('is of its session alone, and stays as it was changed', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000 } }), {
        routes: {
          '/remember': (req, res) => {
            req.session.user = 'ada'
            req.session.cookie.maxAge = 600_000
            res.end()
          },
          '/look': (req, res) => res.json({ originalMaxAge: req.session.cookie.originalMaxAge }),
        },
      })
      const [browser, other] = [site.browser(), site.browser()]
      // express-session reads the clock once more to tell it.
      const originalMaxAge = async (one: typeof browser): Promise<number> =>
        ((await one.get('/look')).body as { originalMaxAge: number }).originalMaxAge
      about(600_000, cookieOf(await browser.get('/remember'))!.life)
      about(600_000, await originalMaxAge(browser))
      about(600_000, cookieOf(await browser.get('/count'))!.life)
      about(60_000, cookieOf(await other.get('/count'))!.life)
      about(60_000, await originalMaxAge(other))
    })

    it('ends a session earlier that was given less in a request that changed nothing else', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000 } }), {
        routes: { '/shorter': (req, res) => ((req.session.cookie.maxAge = 50), res.end()) },
      })
      const browser = site.browser()
      const { id, value } = cookieOf(await browser.get('/count'))!
      await browser.get('/shorter')
      await later(80)
      expect(await stored(site.store, id)).toBeNull()
      browser.cookie = value
      expect((await browser.get('/')).body).toMatchObject({ count: null })
    })

    it.each([
      ['expires = null', (cookie: expressSession.Cookie) => (cookie.expires = null)],
      ['expires = false', (cookie: expressSession.Cookie) => (cookie.expires = false as never)],
      ['maxAge = null', (cookie: expressSession.Cookie) => (cookie.maxAge = null as never)],
    ])('may go with the browser instead: %s', async (_name, forget) => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000 } }), {
        routes: {
          '/forget': (req, res) => {
            req.session.user = 'ada'
            forget(req.session.cookie)
            res.end()
          },
        },
      })
      const browser = site.browser()
      const cookie = cookieOf(await browser.get('/forget'))!
      expect(cookie.life).toBeUndefined()
      expect((await browser.get('/')).body).toMatchObject({ id: cookie.id })
    })

    it('writes itself, as the header has it', async () => {
      const site = await serveWith(create({ cookie: { maxAge: 60_000, sameSite: 'lax' } }), {
        routes: {
          '/write': (req, res) => {
            const { cookie } = req.session as unknown as {
              cookie: { serialize(name: string, value: string): string }
            }
            res.send(cookie.serialize('own', 'value'))
          },
        },
      })
      expect((await site.browser().get('/write')).body).toMatch(
        /^own=value; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Lax$/,
      )
    })
  })

  describe("the store's methods", () => {
    const storeOf = (): expressSession.Store => create({}).store

    it('get and set: what was set, as JSON has it, and nothing for what was not', async () => {
      const store = storeOf()
      const at = new Date()
      await put(store, 'a', dataOf({ user: 'ada', at, nested: { list: [1, null], none: undefined } }))
      expect(await stored(store, 'a')).toMatchObject({
        user: 'ada',
        at: at.toJSON(),
        nested: { list: [1, null] },
        cookie: { originalMaxAge: 60_000, path: '/', httpOnly: true },
      })
      expect(await stored(store, 'b')).toBeNull()
      await put(store, 'a', dataOf({ cart: 'shoes' }))
      const { user, cart } = (await stored(store, 'a'))!
      expect([user, cart]).toEqual([undefined, 'shoes'])
    })

    it('get gives a copy of its own each time', async () => {
      const store = storeOf()
      await put(store, 'a', dataOf({ count: 1 }))
      ;(await stored(store, 'a'))!.count = 99
      expect(await stored(store, 'a')).toMatchObject({ count: 1 })
    })

    it('destroy: one; and no error for one that is not there', async () => {
      const store = storeOf()
      await Promise.all(['a', 'b'].map((id) => put(store, id, dataOf())))
      await call((done) => store.destroy('a', done))
      await call((done) => store.destroy('never', done))
      expect([await stored(store, 'a'), await countOf(store)]).toEqual([null, 1])
    })

    it('all, length and clear', async () => {
      const store = storeOf()
      await Promise.all([1, 2, 3].map((count) => put(store, `id${count}`, dataOf({ count }))))
      const all = (await call<object>((done) => store.all!(done as never)))!
      const counts = Object.values(all).map(({ count }: SessionData) => count)
      expect(new Set(counts)).toEqual(new Set([1, 2, 3]))
      expect(await countOf(store)).toBe(3)
      await call((done) => store.clear!(done))
      expect([await countOf(store), await stored(store, 'id1')]).toEqual([0, null])
    })

    it('touch: a longer life and nothing else, and only for what is there', async () => {
      const store = storeOf()
      await put(store, 'a', dataOf({ count: 1 }, 300))
      await call((done) => store.touch!('a', dataOf({ count: 99 }), done as () => void))
      await call((done) => store.touch!('b', dataOf({ count: 99 }), done as () => void))
      await later(330)
      expect(await stored(store, 'a')).toMatchObject({ count: 1 })
      expect([await stored(store, 'b'), await countOf(store)]).toEqual([null, 1])
    })

    it('give and count nothing that has expired', async () => {
      const store = storeOf()
      await put(store, 'a', dataOf({}, 40))
      await put(store, 'b', dataOf({}, null))
      await later(70)
      expect([await stored(store, 'a'), await countOf(store)]).toEqual([null, 1])
    })

    it('load: a session with its methods, and a Date where the cookie expires', async () => {
      const store = storeOf()
      const data = dataOf({ count: 1 })
      await put(store, 'a', data)
      const load = (id: string): Promise<unknown> => call((done) => store.load(id, done))
      const loaded = (await load('a')) as expressSession.Session & SessionData
      expect([loaded.id, loaded.count, typeof loaded.save]).toEqual(['a', 1, 'function'])
      expect(loaded.cookie.expires).toBeInstanceOf(Date)
      expect(loaded.cookie.originalMaxAge).toBe(data.cookie.originalMaxAge)
      expect(await load('b')).toBeUndefined()
    })

    it('do without a callback where it has nothing to give', async () => {
      const store = storeOf()
      store.set('a', dataOf({ count: 1 }))
      await eventually(async () => expect(await stored(store, 'a')).toMatchObject({ count: 1 }))
      store.touch!('a', dataOf({ count: 1 }))
      store.destroy('a')
      await eventually(async () => expect(await stored(store, 'a')).toBeNull())
    })
  })
})

describe('session() differs on purpose', () => {
  const logout: Routes = {
    '/logout': (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.end())),
  }

  it('resave and saveUninitialized are false where they are left out', async () => {
    const site = await serveWith(ours({}))
    const browser = site.browser()
    expect((await browser.get('/')).setCookies).toEqual([])
    await browser.get('/count')
    await browser.get('/')
    expect(site.asked).toEqual(['set', 'get', 'touch'])
  })

  it('a secret is asked for at once, not at the first request', () => {
    expect(() => session({ redis: our.redis.url } as never)).toThrow(/secret/)
  })

  it('a second cookie carries the session, and both are taken back once it was destroyed', async () => {
    const site = await serveWith(ours({ cookie: { path: '/', sameSite: 'lax' } }), { routes: logout })
    const browser = site.browser()
    const names = ({ setCookies }: Visit): string[] => setCookies.map((line) => line.split('=')[0]!)
    expect(names(await browser.get('/count'))).toEqual(['connect.sid', 'connect.sid.ct'])
    const visit = await browser.get('/logout')
    expect(names(visit)).toEqual(['connect.sid', 'connect.sid.ct'])
    for (const line of visit.setCookies)
      expect(line).toMatch(/=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax$/)
  })

  it('a session that is too large is an error after its answer, unless it is saved by hand before', async () => {
    const large = { user: 'x'.repeat(2_000) }
    const site = await serveWith(ours({ limits: { value: '1kB' } } as Options), {
      routes: {
        '/large': (req, res) => (Object.assign(req.session, large), res.json({})),
        '/save': (req, res, next) =>
          Object.assign(req.session, large).save((error) => (error ? next(error) : res.json({}))),
      },
    })
    expect((await site.browser().get('/large')).status).toBe(200)
    await eventually(() => expect(site.errors).toMatchObject([{ code: 'ERR_HOLDFAST_VALUE_TOO_LARGE' }]))
    expect((await site.browser().get('/save')).status).toBe(500)
    expect(await countOf(site.store)).toBe(0)
  })

  it('a late save does not bring back a session that was destroyed', async () => {
    const site = await serveWith(ours({}), {
      routes: {
        ...logout,
        '/late': async (req, res) => {
          await later(40)
          req.session.count = 99
          res.end()
        },
      },
    })
    const browser = site.browser()
    const { id } = cookieOf(await browser.get('/count'))!
    const late = browser.copy().get('/late')
    await later(10)
    await browser.get('/logout')
    await late
    expect(await stored(site.store, id)).toBeNull()
  })

  it('requests at the same time keep what each changed of another key', async () => {
    const site = await serveWith(ours({}), {
      routes: {
        '/change': async (req, res) => {
          Object.assign(req.session, req.query)
          await later(20)
          res.end()
        },
      },
    })
    const browser = site.browser()
    const { id } = cookieOf(await browser.get('/count'))!
    await Promise.all(['user=ada', 'cart=shoes'].map((query) => browser.copy().get(`/change?${query}`)))
    expect(await stored(site.store, id)).toMatchObject({ user: 'ada', cart: 'shoes' })
  })

  it('a longer life of the cookie is not kept by a request that changes nothing else, as in connect-redis', async () => {
    const site = await serveWith(ours({ cookie: { maxAge: 60_000 } }), {
      routes: {
        '/longer': (req, res) => ((req.session.cookie.maxAge = 600_000), res.end()),
        // In seconds: express-session works it out from the time that is left.
        '/look': (req, res) => res.json({ seconds: Math.ceil(req.session.cookie.originalMaxAge! / 1_000) }),
      },
    })
    const browser = site.browser()
    await browser.get('/count')
    await browser.get('/longer')
    expect((await browser.get('/look')).body).toEqual({ seconds: 60 })
  })
})
