import {
  eventually,
  startProxy,
  startRedis,
  type Proxy,
  type RedisServer,
} from '@holdfast-internal/test-fixtures'
import type { FastifyPluginCallback } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { degraded as runsOn } from '../src/index.ts'
import type { Browser } from './browser.ts'
import { secret, serve, type Site, type SiteOptions } from './site.ts'

let redis: RedisServer
let proxy: Proxy
const open: Site[] = []

beforeEach(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
})
afterEach(async () => {
  for (const site of open.splice(0)) await site.close()
  await proxy.close()
  await redis.stop()
})

async function start(options: SiteOptions = {}): Promise<Site> {
  const site = await serve({ redis: proxy.url, ...options })
  open.push(site)
  return site
}

const state = ({ app }: Site): string => app.sessionStore.holdfast.state
const healthy = (site: Site): Promise<void> => eventually(() => expect(state(site)).toBe('healthy'))
const degraded = (site: Site): Promise<void> => eventually(() => expect(state(site)).toBe('degraded'))

/** The same visitor at another process. */
function at(site: Site, { jar }: Browser): Browser {
  const browser = site.browser()
  for (const [name, value] of jar) browser.jar.set(name, value)
  return browser
}

function withoutToken(browser: Browser): Browser {
  browser.jar.delete('sessionId.ct')
  return browser
}

describe('sessions while Redis is away', () => {
  it.each([
    ['killed', () => redis.kill({ keepData: true }), () => redis.restart()],
    ['hung', async () => redis.freeze(), async () => redis.thaw()],
    ['cut off', async () => proxy.refuse(), () => proxy.restore()],
    ['emptied', () => redis.kill(), () => redis.restart({ empty: true })],
  ])(
    'go on in every process, writes included, and reach Redis when it is back: %s',
    async (_name, breaks, repairs) => {
      const [one, two] = [await start(), await start()]
      const browser = one.browser()
      await browser.post('/login/ada')
      await browser.post('/count')

      await breaks()
      for (let i = 0; i < 3; i++) {
        const visit = await browser.post('/count')
        expect(visit.status).toBe(200)
        expect(visit.ms).toBeLessThan(1_000)
      }
      expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 4 })
      const elsewhere = at(two, browser)
      expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', count: 4, degraded: 'token' })
      expect((await elsewhere.post('/cart/book')).status).toBe(200)

      await repairs()
      await Promise.all([healthy(one), healthy(two)])
      expect((await at(one, elsewhere).get('/me')).body).toMatchObject({
        user: 'ada',
        count: 4,
        cart: 'book',
        degraded: false,
      })
      const third = at(await start(), elsewhere)
      expect((await withoutToken(third).get('/me')).body).toMatchObject({
        user: 'ada',
        count: 4,
        cart: 'book',
      })
    },
  )

  it.each([[{ saveUninitialized: true, rolling: true }], [{ saveUninitialized: false, rolling: false }]])(
    'show an empty one to a visitor without a token, and leave the cookies as they are: %o',
    async (options) => {
      const first = await start(options)
      const browser = first.browser()
      await browser.post('/login/ada')
      const before = new Map(browser.jar)

      const second = await start(options)
      await proxy.refuse()
      const stranger = withoutToken(at(second, browser))
      const during = await stranger.get('/me')
      expect(during).toMatchObject({ status: 200, body: { user: null, degraded: 'empty' }, lines: [] })
      expect(await stranger.post('/cart/book')).toMatchObject({ status: 200, lines: [] })
      stranger.jar.set('sessionId.ct', 'a token that does not count')
      expect(await stranger.get('/me')).toMatchObject({ status: 200, lines: [] })
      expect(stranger.jar.get('sessionId')).toBe(before.get('sessionId'))

      await proxy.restore()
      await healthy(second)
      expect((await stranger.get('/me')).body).toMatchObject({ user: 'ada', cart: 'book' })
    },
  )

  it('that nobody knew give no token, which would make less of the session than Redis has', async () => {
    const [first, second] = [await start(), await start()]
    const browser = first.browser()
    await browser.post('/login/ada')
    await proxy.refuse()
    const stranger = withoutToken(at(second, browser))
    await stranger.post('/cart/book')
    await stranger.get('/me')
    await stranger.post('/count')
    // What waits in its journal is lost with it.
    await second.close()
    await proxy.restore()
    expect((await at(await start(), stranger).get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('that have become too long for a token take the one of before along', async () => {
    const routes: FastifyPluginCallback = (app, _options, done) => {
      app.post('/grow', async ({ session: grown }) => {
        delete grown.user
        grown.big = 'x'.repeat(4_000)
        return {}
      })
      done()
    }
    const [first, second] = [await start({ routes }), await start()]
    const browser = first.browser()
    await browser.post('/login/ada')
    expect(browser.jar.has('sessionId.ct')).toBe(true)
    await browser.post('/grow')
    expect(browser.jar.has('sessionId.ct')).toBe(false)
    await proxy.refuse()
    expect((await browser.get('/me')).body).toMatchObject({ user: null, degraded: 'memory' })
    expect((await at(second, browser).get('/me')).body).toMatchObject({ user: null, degraded: 'empty' })
  })

  it('leave the cookies as they are when the session cookie is signed by an older secret', async () => {
    const older = `${secret}, the older`
    const first = await start({ secret: [older], saveUninitialized: false })
    const browser = first.browser()
    await browser.post('/login/ada')
    const second = await start({ secret: [secret, older], saveUninitialized: false })
    await proxy.refuse()
    const stranger = withoutToken(at(second, browser))
    expect(await stranger.get('/me')).toMatchObject({ body: { degraded: 'empty' }, lines: [] })
  })

  it('can be begun, logged in to and out of', async () => {
    const site = await start()
    await proxy.refuse()
    const browser = site.browser()
    expect((await browser.post('/login/ada')).status).toBe(200)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', degraded: 'memory' })
    const left = browser.clone()
    expect((await browser.post('/logout')).status).toBe(200)
    expect([...browser.jar]).toEqual([])
    expect((await left.get('/me')).body).toMatchObject({ user: null })

    await browser.post('/login/bob')
    await proxy.restore()
    await healthy(site)
    expect((await left.get('/me')).body).toMatchObject({ user: null })
    const elsewhere = withoutToken(at(await start(), browser))
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'bob' })
  })

  it('that were ended before it stay ended, in every process', async () => {
    const [one, two] = [await start(), await start()]
    const browser = one.browser()
    await browser.post('/login/ada')
    const left = browser.clone()
    await browser.post('/logout')
    await eventually(() => {
      const id = left.jar.get('sessionId')!.split('.')[0]!
      expect(two.app.sessionStore.sessions.isEnded(id)).toBe(true)
    })
    await proxy.refuse()
    expect((await at(two, left).get('/me')).body).toMatchObject({ user: null })
    await proxy.restore()
  })

  it('bring the right token to the store for each of many requests at once', async () => {
    const [one, two] = [await start(), await start()]
    const people = await Promise.all(
      ['ada', 'bob', 'carol', 'dan', 'eve'].map(async (name) => {
        const browser = one.browser()
        await browser.post(`/login/${name}`)
        const early = browser.clone()
        await browser.post('/count')
        return { name, early, browser }
      }),
    )
    await proxy.refuse()
    await at(two, people[0]!.browser).get('/me')
    const visits = await Promise.all(
      people.flatMap(({ name, early, browser }) => [
        at(two, early)
          .get('/me')
          .then(({ body }) => ({ name, count: 0, body })),
        at(two, browser)
          .get('/me')
          .then(({ body }) => ({ name, count: 1, body })),
      ]),
    )
    for (const { name, count, body } of visits)
      expect(body).toMatchObject({ user: name, count, degraded: 'token' })
  })

  it('can be reloaded from their token, after a body was read, too', async () => {
    const routes: SiteOptions['routes'] = (app, _options, done) => {
      app.post('/reload', async (request) => {
        request.session.user = 'somebody else'
        await request.session.reload()
        request.session.cart = 'reloaded'
        return { user: request.session.user }
      })
      done()
    }
    const [one, two] = [await start({ routes }), await start({ routes })]
    const browser = one.browser()
    await browser.post('/login/ada')
    await proxy.refuse()
    const elsewhere = at(two, browser)
    expect((await elsewhere.post('/reload', { with: 'a body' })).body).toEqual({ user: 'ada' })
    expect((await elsewhere.get('/me')).body).toMatchObject({ user: 'ada', cart: 'reloaded' })
  })

  it('let a stream end, whose session is saved by hand after the headers left', async () => {
    const site = await start({
      routes: (app, _options, done) => {
        app.get('/late', (request, reply) => {
          reply.hijack()
          reply.raw.writeHead(200)
          reply.raw.write('early ')
          request.session.cart = 'late'
          request.session.save().then(
            () => reply.raw.end('saved'),
            () => reply.raw.end('not saved'),
          )
        })
        done()
      },
    })
    const browser = site.browser()
    await browser.post('/login/ada')
    redis.freeze()
    expect(await browser.get('/late')).toMatchObject({ status: 200, text: 'early saved', lines: [] })
    redis.thaw()
    await healthy(site)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', cart: 'late' })
  })

  it('run on a token alone for the whole of the request that brought it, saved by hand or not', async () => {
    const routes: SiteOptions['routes'] = (app, _options, done) => {
      app.post('/save', async (request) => {
        const before = runsOn(request)
        request.session.cart = 'saved'
        await request.session.save()
        return [before, runsOn(request)]
      })
      done()
    }
    const [one, two] = [await start({ routes }), await start({ routes })]
    const browser = one.browser()
    await browser.post('/login/ada')
    await proxy.refuse()
    expect((await at(two, browser).post('/save')).body).toEqual(['token', 'token'])
  })

  it('tell what they run on, also without a session of before', async () => {
    const site = await start()
    await proxy.refuse()
    await degraded(site)
    expect((await site.browser().get('/me')).body).toMatchObject({ user: null, degraded: 'memory' })
  })

  it('answer 503 under the rule "refuse", set or clear no cookie, and are themselves again afterwards', async () => {
    const site = await start({ rule: 'refuse' })
    const browser = site.browser()
    await browser.post('/login/ada')
    const before = [...browser.jar]
    await proxy.refuse()
    await degraded(site)
    for (const visit of [
      await browser.get('/me'),
      await browser.post('/logout'),
      await browser.post('/count'),
      await site.browser().post('/login/bob'),
    ]) {
      expect(visit).toMatchObject({ status: 503, body: { code: 'ERR_HOLDFAST_UNAVAILABLE' }, lines: [] })
    }
    expect([...browser.jar]).toEqual(before)
    await proxy.restore()
    await healthy(site)
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it('go on from memory alone without the continuity token', async () => {
    const site = await start({ continuity: false })
    const browser = site.browser()
    await browser.post('/login/ada')
    expect([...browser.jar.keys()]).toEqual(['sessionId'])
    await proxy.refuse()
    expect((await browser.post('/count')).body).toEqual({ count: 1 })
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada', count: 1, degraded: 'memory' })
  })

  it('start without Redis, and find it when it comes', async () => {
    await proxy.refuse()
    const site = await start()
    expect(state(site)).toBe('degraded')
    const browser = site.browser()
    await browser.post('/login/ada')
    await proxy.restore()
    await healthy(site)
    expect((await withoutToken(at(await start(), browser)).get('/me')).body).toMatchObject({ user: 'ada' })
  })
})

describe("a user's sessions", () => {
  it('are listed, and ended one by one and all but this one, in every process', async () => {
    const options: SiteOptions = {
      userId: ({ user }) => user as string | undefined,
      note: ({ cart }) => cart,
    }
    const [one, two] = [await start(options), await start(options)]
    const [phone, laptop, tablet] = [one.browser(), one.browser(), two.browser()]
    for (const device of [phone, laptop, tablet]) await device.post('/login/ada')
    await laptop.post('/cart/laptop')
    const { sessions } = two.app.sessionStore
    const listed = await sessions.list('ada')
    expect(listed).toHaveLength(3)
    const { handle } = listed.find(({ note }) => note === 'laptop')!
    expect(await sessions.endOne('ada', handle)).toBe(true)
    expect((await laptop.get('/me')).body).toMatchObject({ user: null })
    const { id } = (await tablet.get('/me')).body as { id: string }
    await sessions.endAll('ada', { except: id })
    expect((await tablet.get('/me')).body).toMatchObject({ user: 'ada' })
    await eventually(async () => expect((await phone.clone().get('/me')).body).toMatchObject({ user: null }))
  })
})
