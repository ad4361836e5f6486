import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createHoldfast } from '@holdfast/core'
import fastifyCookie, { Signer } from '@fastify/cookie'
import fastify, { type FastifyInstance } from 'fastify'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import byDefault, { degraded, HoldfastStore, session, type SessionOptions } from '../src/index.ts'
import { listen, pages, secret, serve } from './site.ts'

let redis: RedisServer
const open: FastifyInstance[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
})
afterAll(() => redis.stop())

function create(): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  open.push(app)
  return app
}

const options = (own: Partial<SessionOptions> = {}): SessionOptions => ({
  secret,
  redis: redis.url,
  logger: false,
  cookie: { secure: false, maxAge: 60_000 },
  ...own,
})

describe('the plugin', () => {
  it('is the default export, too', () => {
    expect(byDefault).toBe(session)
  })

  it('brings what it needs, and decorates the instance with its store', async () => {
    const app = create()
    await app.register(session, options())
    expect(app.hasPlugin('@fastify/cookie')).toBe(true)
    expect(app.hasPlugin('@fastify/session')).toBe(true)
    expect(app.sessionStore).toBeInstanceOf(HoldfastStore)
    expect(app.hasRequestDecorator('session')).toBe(true)
    await app.ready()
    expect(app.sessionStore.holdfast.state).toBe('healthy')
  })

  it('uses the @fastify/cookie that is there, of an outer context, too', async () => {
    const app = create()
    app.register(fastifyCookie, { secret: 'of the application' })
    app.register(async (inner) => {
      inner.register(session, options())
      inner.register(pages)
      inner.get('/signed', async (_request, reply) => reply.setCookie('s', 'x', { signed: true }).send({}))
    })
    const site = await listen(app)
    const browser = site.browser()
    await browser.post('/login/ada')
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
    expect((await browser.get('/signed')).status).toBe(200)
  })

  it('belongs to the context that registers it, and to no sibling', async () => {
    const app = create()
    app.register(
      async (shop) => {
        shop.register(session, options({ cookieName: 'shop', prefix: 'shop:' }))
        shop.register(pages)
        shop.register(async (nested) => {
          nested.get('/nested', async ({ session: { user = null } }) => ({ user }))
        })
      },
      { prefix: '/shop' },
    )
    app.register(
      async (office) => {
        office.register(session, options({ cookieName: 'office', prefix: 'office:' }))
        office.register(pages)
      },
      { prefix: '/office' },
    )
    app.get('/plain', async (request, reply) => ({
      has: 'session' in request || 'cookies' in request || 'setCookie' in reply,
    }))
    const site = await listen(app)
    expect(app.hasDecorator('sessionStore')).toBe(false)
    const browser = site.browser()
    await browser.post('/shop/login/ada')
    expect((await browser.get('/shop/nested')).body).toEqual({ user: 'ada' })
    expect((await browser.get('/office/me')).body).toMatchObject({ user: null })
    expect([...browser.jar.keys()].sort()).toEqual(['office', 'office.ct', 'shop', 'shop.ct'])
    expect(await browser.get('/plain')).toMatchObject({ body: { has: false }, lines: [] })
    await browser.post('/shop/logout')
    expect([...browser.jar.keys()].sort()).toEqual(['office', 'office.ct'])
  })

  it('shares a Holdfast or a store with others, and leaves it open', async () => {
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    const store = new HoldfastStore({ holdfast, prefix: 'shared:', continuity: { secrets: [secret] } })
    const one = await serve({ store })
    const two = await serve({ store })
    const browser = one.browser()
    await browser.post('/login/ada')
    await one.close()
    const elsewhere = two.browser()
    for (const [name, value] of browser.jar) elsewhere.jar.set(name, value)
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada' })
    await two.close()
    await store.close()
    expect(holdfast.state).toBe('healthy')
    await holdfast.close()
  })

  it("takes a signer of the application's own: without a token, unless there are secrets for it", async () => {
    const signer = new Signer(secret)
    const site = await serve({ redis: redis.url, secret: signer })
    open.push(site.app)
    const browser = site.browser()
    await browser.post('/login/ada')
    expect([...browser.jar.keys()]).toEqual(['sessionId'])
    const other = await serve({ redis: redis.url, secret: signer, continuity: { secrets: [secret] } })
    open.push(other.app)
    const elsewhere = other.browser()
    for (const [name, value] of browser.jar) elsewhere.jar.set(name, value)
    expect((await elsewhere.post('/count')).body).toEqual({ count: 1 })
    expect([...elsewhere.jar.keys()]).toEqual(['sessionId', 'sessionId.ct'])
  })

  it('works for requests that are injected', async () => {
    const app = create()
    app.register(session, options())
    app.register(pages)
    const { cookies } = await app.inject({ method: 'POST', url: '/login/ada' })
    const jar = Object.fromEntries(cookies.map(({ name, value }) => [name, value]))
    expect(Object.keys(jar)).toEqual(['sessionId', 'sessionId.ct'])
    expect((await app.inject({ url: '/me', cookies: jar })).json()).toMatchObject({ user: 'ada' })
  })

  it('says which option is wrong, and opens no connection that stays', async () => {
    const wrong: [Partial<SessionOptions>, RegExp][] = [
      [{ secret: 'short' }, /secret/],
      [{ secret: undefined as never }, /secret/],
      [{ secret: [] }, /secret/],
      [{ ttl: -1 }, /ttl/],
      [{ prefix: ' ' }, /prefix/],
      [{ rule: 'constructor' as never }, /rule/],
      [{ rule: 'token', continuity: false }, /rule/],
      [{ store: new Map() as never }, /store/],
      [{ continuity: { lifetime: 5 } }, /continuity.lifetime/],
      [{ continuity: {}, secret: new Signer(secret) }, /continuity.secrets/],
    ]
    for (const [own, message] of wrong) {
      const app = create()
      app.register(session, options(own))
      await expect(app.ready(), String(message)).rejects.toThrow(message)
    }
  })

  it('fails at start where Redis is required and not there', async () => {
    const app = create()
    app.register(session, options({ redis: 'redis://127.0.0.1:1', requireAtStart: true }))
    await expect(app.ready()).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
  })

  it('lets the process end when the application closes, also after an option that was wrong', async () => {
    const script = fileURLToPath(new URL('ends.ts', import.meta.url))
    const run = promisify(execFile)
    for (const mode of ['served', 'short secret', 'negative ttl']) {
      const args = ['--conditions=@holdfast/source', script, redis.url, mode]
      const { stdout } = await run(process.execPath, args, { timeout: 10_000 })
      expect(stdout).toBe(`${mode}\n`)
    }
  })
})

describe('degraded()', () => {
  it('throws for a request without these sessions, rather than to say that all is well', async () => {
    const app = create()
    app.get('/', async (request) => ({ degraded: degraded(request) }))
    const { statusCode, body } = await app.inject('/')
    expect(statusCode).toBe(500)
    expect(body).toContain('ERR_HOLDFAST_OPTION')
  })

  it('is false while Redis is there, for new, old and ended sessions', async () => {
    const app = create()
    app.register(session, options())
    app.register(pages)
    app.post('/leave', async (request) => {
      await request.session.destroy()
      return { degraded: degraded(request) }
    })
    const site = await listen(app)
    const browser = site.browser()
    expect((await browser.get('/me')).body).toMatchObject({ degraded: false })
    expect((await browser.get('/me')).body).toMatchObject({ degraded: false })
    expect((await browser.post('/leave')).body).toEqual({ degraded: false })
  })
})
