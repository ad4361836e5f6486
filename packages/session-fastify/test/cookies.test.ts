import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import fastifyCookie from '@fastify/cookie'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Visit } from './browser.ts'
import { secret, serve, type Site, type SiteOptions } from './site.ts'

let redis: RedisServer
const open: Site[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const site of open.splice(0)) await site.close()
})
afterAll(() => redis.stop())

async function start(options: SiteOptions = {}): Promise<Site> {
  const site = await serve({ redis: redis.url, ...options })
  open.push(site)
  return site
}

const plain = { secure: false, maxAge: 60_000 } as const

/** Which cookies a response set or cleared. */
function cookies({ lines }: Visit): Record<string, 'set' | 'cleared'> {
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.includes('Max-Age=0') ? 'cleared' : 'set']),
  )
}

function lineOf({ lines }: Visit, name: string): string {
  return lines.find((line) => line.startsWith(`${name}=`)) ?? ''
}

const both = { sessionId: 'set', 'sessionId.ct': 'set' }
const gone = { sessionId: 'cleared', 'sessionId.ct': 'cleared' }

describe('the cookies of a session', () => {
  it('are set once, and only the session cookie rolls', async () => {
    const browser = (await start()).browser()
    expect(cookies(await browser.post('/login/ada'))).toEqual(both)
    expect(cookies(await browser.get('/me'))).toEqual({ sessionId: 'set' })
    expect(cookies(await browser.post('/count'))).toEqual(both)
  })

  it('stay as they are without rolling, and both are set for a change', async () => {
    const browser = (await start({ rolling: false })).browser()
    await browser.post('/login/ada')
    expect(cookies(await browser.get('/me'))).toEqual({})
    expect(cookies(await browser.post('/count'))).toEqual(both)
  })

  it('are not set for a session that nobody wrote to, where those are not saved', async () => {
    const browser = (await start({ saveUninitialized: false })).browser()
    expect(cookies(await browser.get('/me'))).toEqual({})
    expect(cookies(await browser.post('/count'))).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ count: 1 })
  })

  it('are set for a session that nobody wrote to, where those are saved', async () => {
    const browser = (await start()).browser()
    const first = await browser.get('/me')
    expect(cookies(first)).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ id: (first.body as { id: string }).id })
  })

  it('have the same attributes, and the token is hidden from scripts whatever the session cookie is', async () => {
    const cookie = { ...plain, path: '/', sameSite: 'strict', httpOnly: false, domain: 'localhost' } as const
    const visit = await (await start({ cookie })).browser().post('/login/ada')
    const attributes = (name: string): string[] => lineOf(visit, name).split('; ').slice(1).sort()
    expect(attributes('sessionId')).not.toContain('HttpOnly')
    expect(attributes('sessionId.ct')).toEqual([...attributes('sessionId'), 'HttpOnly'].sort())
    expect(attributes('sessionId.ct')).toContain('SameSite=Strict')
  })

  it('go by the name and the prefix that were chosen', async () => {
    const browser = (await start({ cookieName: '__Host-s', cookiePrefix: 's:', rolling: false })).browser()
    expect(cookies(await browser.post('/login/ada'))).toEqual({ '__Host-s': 'set', '__Host-s.ct': 'set' })
    expect(browser.jar.get('__Host-s')).toMatch(/^s(:|%3A)/)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('stand beside those of the application', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/own', async (request, reply) => {
          request.session.count = 1
          return reply.setCookie('own', 'x').send({})
        })
        app.post('/leave', async (request, reply) => {
          await request.session.destroy()
          return reply.setCookie('own', 'y').send({})
        })
        done()
      },
    })
    const browser = site.browser()
    expect(cookies(await browser.post('/own'))).toEqual({ own: 'set', ...both })
    expect(cookies(await browser.post('/leave'))).toEqual({ own: 'set', ...gone })
  })

  it('are both new after a login, and both gone after a logout', async () => {
    const browser = (await start()).browser()
    await browser.post('/count')
    const before = browser.clone()
    expect(cookies(await browser.post('/login/ada'))).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 0 })
    expect((await before.get('/me')).body).toMatchObject({ count: 0 })

    const during = browser.clone()
    expect(cookies(await browser.post('/logout'))).toEqual(gone)
    expect([...browser.jar]).toEqual([])
    expect((await during.get('/me')).body).toMatchObject({ user: null })
  })

  it.each(['/leave', '/leave-by-callback'])(
    'are both gone after %s, a logout that nobody waits for',
    async (path) => {
      const site = await start({
        routes: (app, _options, done) => {
          app.post('/leave', (request, reply) => {
            void request.session.destroy()
            reply.send({})
          })
          app.post('/leave-by-callback', (request, reply) => {
            request.session.destroy(() => {})
            reply.send({})
          })
          done()
        },
      })
      const browser = site.browser()
      expect(cookies(await site.browser().post(path))).toEqual({})
      await browser.post('/login/ada')
      const before = browser.clone()
      const visit = await browser.post(path)
      expect(cookies(visit)).toEqual(gone)
      expect(visit.lines).toHaveLength(2)
      expect((await before.get('/me')).body).toMatchObject({ user: null })
    },
  )

  it('that a login has replaced meanwhile are not touched by a request that is late', async () => {
    let proceed: (() => void) | undefined
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/slow', async (request) => {
          await new Promise<void>((resolve) => (proceed = resolve))
          request.session.count = 1
          return {}
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/count')
    const slow = browser.clone().post('/slow')
    await eventually(() => expect(proceed).toBeDefined())
    await browser.post('/login/ada')
    proceed!()
    expect(cookies(await slow)).toEqual({})
  })

  it('are both gone where the session was over, and no other is made', async () => {
    const site = await start({ saveUninitialized: false })
    const browser = site.browser()
    await browser.post('/login/ada')
    const left = browser.clone()
    await browser.post('/logout')
    expect(cookies(await left.get('/me'))).toEqual(gone)
  })

  it('stay where the application only forgot its session object', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/forget', async (request) => {
          request.session = null as never
          return {}
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect(cookies(await browser.post('/forget'))).toEqual({})
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('leave with a redirect, a 304, a HEAD and a stream, and what was written is there', async () => {
    const browser = (await start()).browser()
    await browser.post('/login/ada')
    const redirect = await browser.post('/redirect')
    expect(redirect).toMatchObject({ status: 302, headers: { location: '/me' } })
    expect(cookies(redirect)).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ cart: 'redirected' })
    expect(cookies(await browser.get('/not-modified'))).toEqual({ sessionId: 'set' })
    expect(await browser.head('/me')).toMatchObject({ status: 200, text: '' })
    const stream = await browser.get('/stream')
    expect(stream).toMatchObject({ status: 200, text: 'one two three' })
    expect(cookies(stream)).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ cart: 'streamed' })
  })

  it('may leave before the session is changed: what is saved by hand then is in Redis', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.get('/late', (request, reply) => {
          async function* parts(): AsyncGenerator<string> {
            yield 'early '
            request.session.cart = 'late'
            await request.session.save()
            yield 'late'
          }
          return reply.type('text/plain').send(Readable.from(parts()))
        })
        app.get('/raw', async (request, reply) => {
          reply.hijack()
          reply.raw.writeHead(200, { 'content-type': 'text/plain' })
          reply.raw.write('early ')
          request.session.count = 7
          await request.session.save()
          reply.raw.end('late')
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect(await browser.get('/late')).toMatchObject({ status: 200, text: 'early late' })
    expect(await browser.get('/raw')).toMatchObject({ status: 200, text: 'early late', lines: [] })
    const after = await browser.get('/me')
    expect(after.body).toMatchObject({ cart: 'late', count: 7 })
    expect(cookies(after)).toEqual(both)
  })

  it('are set after an error of the handler, too', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/fails', async (request) => {
          request.session.cart = 'kept'
          throw Object.assign(new Error('teapot'), { statusCode: 418 })
        })
        done()
      },
    })
    const browser = site.browser()
    const visit = await browser.post('/fails')
    expect(visit.status).toBe(418)
    expect(cookies(visit)).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ cart: 'kept' })
    const missing = await browser.get('/nowhere')
    expect(missing.status).toBe(404)
    expect(cookies(missing)).toEqual({ sessionId: 'set' })
  })

  it('outside of their path are neither read nor set', async () => {
    const site = await start({
      cookie: { ...plain, path: '/app' },
      routes: (app, _options, done) => {
        app.get('/app/me', async (request) => ({ id: request.session.sessionId }))
        app.get('/outside', async (request) => ({ id: request.session.sessionId ?? null }))
        done()
      },
    })
    const browser = site.browser()
    expect(cookies(await browser.get('/app/me'))).toEqual(both)
    expect(await browser.get('/outside')).toMatchObject({ status: 200, body: { id: null }, lines: [] })
  })
})

describe('a secure cookie', () => {
  const https = { 'x-forwarded-proto': 'https' }

  it('is neither set nor joined by a token over HTTP', async () => {
    const browser = (await start({ cookie: { maxAge: 60_000 } })).browser()
    expect(cookies(await browser.post('/count'))).toEqual({})
  })

  it('is set behind a proxy that is trusted, and only there', async () => {
    const trusted = await start({ cookie: { maxAge: 60_000 }, server: { trustProxy: true } })
    const visit = await trusted.browser().post('/count', undefined, https)
    expect(cookies(visit)).toEqual(both)
    for (const line of visit.lines) expect(line).toContain('; Secure')
    const untrusted = await start({ cookie: { maxAge: 60_000 } })
    expect(cookies(await untrusted.browser().post('/count', undefined, https))).toEqual({})
  })

  it('goes by the connection when it is "auto"', async () => {
    const site = await start({ cookie: { secure: 'auto', maxAge: 60_000 }, server: { trustProxy: true } })
    const over = await site.browser().post('/count', undefined, https)
    for (const line of over.lines) expect(line).toContain('; Secure')
    const plainly = await site.browser().post('/count')
    expect(cookies(plainly)).toEqual(both)
    for (const line of plainly.lines) expect(line).toMatch(/^(?!.*; Secure).*; SameSite=Lax/)
  })
})

describe('a session', () => {
  it('costs one command where it is not changed, rolling or not', async () => {
    for (const rolling of [true, false]) {
      const browser = (await start({ rolling })).browser()
      await browser.post('/login/ada')
      await browser.get('/me')
      const before = await commands()
      for (let i = 0; i < 20; i++) await browser.get('/me')
      const after = await commands()
      const calls = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0)
      expect(calls('get')).toBe(20)
      // What the process does by itself now and then, as to compare the marks of ended sessions, is none of the requests'.
      const writes = ['set', 'evalsha', 'eval', 'pexpire'].reduce((sum, name) => sum + calls(name), 0)
      expect(writes).toBeLessThanOrEqual(2)
    }
  })

  it('is extended in Redis while it is used, beyond the date that it was stored with', async () => {
    const site = await start({ cookie: { secure: false, maxAge: 1_500 } })
    const browser = site.browser()
    await browser.post('/login/ada')
    for (let i = 0; i < 8; i++) {
      await pause(250)
      expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
    }
    const left = browser.clone()
    await pause(1_600)
    expect((await left.get('/me')).body).toMatchObject({ user: null })
  })

  it('keeps a change of its cookie, such as "remember me"', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/remember', async (request) => {
          request.session.options({ maxAge: 3_600_000 })
          return {}
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    await browser.post('/remember')
    const later = lineOf(await browser.get('/me'), 'sessionId')
    const expires = Date.parse(/Expires=([^;]+)/.exec(later)![1]!)
    expect(expires - Date.now()).toBeGreaterThan(3_500_000)
    const [key] = (await redis.control.command(
      'KEYS',
      `*${browser.jar.get('sessionId')!.split('.')[0]}`,
    )) as string[]
    expect(Number(await redis.control.command('PTTL', key!))).toBeGreaterThan(3_500_000)
  })

  it('saved, reloaded and saved again by hand is as it was saved', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/by-hand', async (request) => {
          request.session.count = 5
          await request.session.save()
          request.session.count = 99
          await request.session.reload()
          const reloaded = request.session.count
          request.session.cart = 'by hand'
          await request.session.save()
          return { reloaded }
        })
        app.post('/callbacks', (request, reply) => {
          request.session.count = 1
          request.session.save(() => {
            request.session.count = 2
            request.session.reload((error) => void reply.send(error ?? { reloaded: request.session.count }))
          })
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect((await browser.post('/by-hand')).body).toEqual({ reloaded: 5 })
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 5, cart: 'by hand' })
    expect((await browser.post('/callbacks', { with: 'a body' })).body).toEqual({ reloaded: 1 })
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 1, cart: 'by hand' })
  })

  it('keeps what two requests at once change of it, and stays ended against a slow writer', async () => {
    const holds = new Map<string, () => void>()
    const site = await start({
      routes: (app, _options, done) => {
        app.post<{ Params: { key: string } }>('/slow/:key', async (request) => {
          request.session[`key${request.params.key}`] = true
          await new Promise<void>((resolve) => holds.set(request.params.key, resolve))
          return {}
        })
        app.get('/all', async (request) => ({ ...request.session }))
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    const slow = ['A', 'B'].map((key) => browser.clone().post(`/slow/${key}`))
    await eventually(() => expect(holds.size).toBe(2))
    for (const proceed of holds.values()) proceed()
    await Promise.all(slow)
    expect((await browser.get('/all')).body).toMatchObject({ user: 'ada', keyA: true, keyB: true })

    const late = browser.clone()
    const writing = late.post('/slow/C')
    await eventually(() => expect(holds.has('C')).toBe(true))
    const left = browser.clone()
    await browser.post('/logout')
    holds.get('C')!()
    expect((await writing).status).toBe(200)
    expect((await left.get('/me')).body).toMatchObject({ user: null })
  })

  it('that somebody deleted meanwhile is not made anew by a second save', async () => {
    const site = await start({
      continuity: false,
      routes: (app, _options, done) => {
        app.post('/twice', async (request) => {
          const [key] = (await redis.control.command('KEYS', `*${request.session.sessionId}`)) as string[]
          await redis.control.command('DEL', key!)
          request.session.count = 1
          await request.session.save()
          request.session.count = 2
          return {}
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect((await browser.post('/twice')).status).toBe(200)
    expect((await browser.get('/me')).body).toMatchObject({ user: null, count: 0 })
  })

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])(
    'outlives a rotation of the secrets (saveUninitialized %o, rolling %o)',
    async (saveUninitialized, rolling) => {
      const options = { saveUninitialized, rolling }
      const older = `${secret}, the older`
      const browser = (await start({ ...options, secret: [older] })).browser()
      await browser.post('/login/ada')
      const rotated = await start({ ...options, secret: [secret, older] })
      const visitor = rotated.browser()
      for (const [name, value] of browser.jar) visitor.jar.set(name, value)
      const visit = await visitor.get('/me')
      expect(visit.body).toMatchObject({ user: 'ada' })
      expect(cookies(visit)).toMatchObject({ sessionId: 'set' })
      await visitor.post('/count')
      const newest = (await start({ ...options, secret })).browser()
      for (const [name, value] of visitor.jar) newest.jar.set(name, value)
      expect((await newest.get('/me')).body).toMatchObject({ user: 'ada', count: 1 })
    },
  )

  it('too large for a cookie does without a token, and works as before', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/grow', async (request) => {
          request.session.big = 'x'.repeat(5_000)
          return {}
        })
        app.get('/big', async (request) => ({ length: String(request.session.big).length }))
        done()
      },
    })
    const browser = site.browser()
    expect(cookies(await browser.post('/grow'))).toEqual({ sessionId: 'set' })
    expect((await browser.get('/big')).body).toEqual({ length: 5_000 })
  })

  it('that cannot be stored fails the request, with no cookie for it', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.post('/bigint', async (request) => {
          request.session.big = 1n
          return {}
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect(await browser.post('/bigint')).toMatchObject({ status: 500, lines: [] })
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('takes a forged or altered cookie for none', async () => {
    const browser = (await start()).browser()
    await browser.post('/login/ada')
    const forged = browser.clone()
    forged.jar.set('sessionId', `${forged.jar.get('sessionId')!.slice(0, -1)}!`)
    expect((await forged.get('/me')).body).toMatchObject({ user: null })
    for (const token of ['', 'x', '{}', 'a..b.c.d', 'x'.repeat(7_000), '%00', '__proto__']) {
      const altered = browser.clone()
      altered.jar.set('sessionId.ct', token)
      expect((await altered.get('/me')).body).toMatchObject({ user: 'ada' })
    }
  })

  it('works beside cookies that the application parses itself', async () => {
    const { default: fastify } = await import('fastify')
    const { session } = await import('../src/index.ts')
    const { listen, pages } = await import('./site.ts')
    const app = fastify({ forceCloseConnections: true })
    app.register(fastifyCookie, { parseOptions: { path: '/' } })
    app.register(session, { secret, redis: redis.url, logger: false, cookie: plain })
    app.register(pages)
    const site = await listen(app)
    open.push(site)
    const browser = site.browser()
    expect(cookies(await browser.post('/login/ada'))).toEqual(both)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })
})

async function commands(): Promise<Map<string, number>> {
  const text = String(await redis.control.command('INFO', 'commandstats'))
  return new Map(
    [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [name!, Number(calls)]),
  )
}
