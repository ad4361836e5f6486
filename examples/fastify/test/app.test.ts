import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../app.ts'

let redis: RedisServer
const open: FastifyInstance[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
})
afterAll(() => redis.stop())

function start(): FastifyInstance {
  const app = createApp({ secret: 'a secret of the tests, long enough', redis: redis.url, logger: false })
  open.push(app)
  return app
}

interface Me {
  readonly name: string | null
  readonly handle: string
  readonly devices: { readonly handle: string; readonly note: string }[]
  readonly degraded: false | string
}

function browser(agent: string) {
  const cookies: Record<string, string> = {}
  async function visit(
    app: FastifyInstance,
    method: 'GET' | 'POST',
    url: string,
    payload?: object,
    headers = {},
  ) {
    const response = await app.inject({
      method,
      url,
      cookies,
      headers: { 'user-agent': agent, ...headers },
      ...(payload && { payload }),
    })
    for (const { name, value, maxAge } of response.cookies) {
      if (maxAge === 0) delete cookies[name]
      else cookies[name] = value
    }
    return { status: response.statusCode, body: response.json<unknown>() }
  }
  return {
    cookies,
    post: (app: FastifyInstance, url: string, payload?: object, headers?: object) =>
      visit(app, 'POST', url, payload, headers),
    me: async (app: FastifyInstance) => (await visit(app, 'GET', '/me')).body as Me,
  }
}

const desktop = 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0'
const phone = 'Mozilla/5.0 (Linux; Android 16) Chrome/140.0'

describe('the example', () => {
  it('lists the devices, logs one of them out, and all', async () => {
    const [one, two] = [start(), start()]
    const [a, b] = [browser(desktop), browser(phone)]
    await a.post(one, '/login', { name: 'ada' })
    await b.post(two, '/login', { name: 'ada' })
    const me = await a.me(one)
    expect(me.devices.map(({ note }) => note).sort()).toEqual(['Chrome on Android', 'Firefox on Windows'])
    const other = me.devices.find(({ handle }) => handle !== me.handle)!
    expect((await a.post(one, `/devices/${other.handle}/logout`)).status).toBe(200)
    await eventually(async () => expect((await b.me(two)).name).toBeNull())
    expect((await a.post(one, '/devices/none/logout')).status).toBe(404)

    await b.post(two, '/login', { name: 'ada' })
    await a.post(one, '/logout-everywhere')
    expect(a.cookies).toEqual({})
    await eventually(async () => expect((await b.me(two)).name).toBeNull())
  })

  it('stays logged in without Redis, in a process that never saw the session, and refuses what it should', async () => {
    const [one, two] = [start(), start()]
    const visitor = browser(desktop)
    await visitor.post(one, '/login', { name: 'ada' })
    await two.ready()
    expect((await visitor.post(one, '/code')).status).toBe(200)
    await redis.kill({ keepData: true })
    expect((await visitor.post(two, '/code')).status).toBe(503)
    expect(await visitor.me(two)).toMatchObject({ name: 'ada', degraded: 'token' })
    await redis.restart()
    await eventually(async () => expect((await visitor.post(two, '/code')).status).toBe(200))
  })

  it('takes no orders from other sites, and no empty name', async () => {
    const app = start()
    const visitor = browser(desktop)
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
    expect((await visitor.post(app, '/login', { name: 'ada' }, foreign)).status).toBe(403)
    expect((await visitor.post(app, '/login', { name: '  ' })).status).toBe(400)
    expect((await app.inject('/')).body).toContain('My devices')
  })
})
