import { eventually } from '@holdfast-internal/test-fixtures'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createDemo, type Demo } from '../app.ts'
import { findDemoRedis, type DemoRedis } from '../demo-redis.ts'
import { deviceOf } from '../device.ts'

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
const laptop = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function startRedis(env: NodeJS.ProcessEnv = {}): Promise<DemoRedis> {
  const redis = await findDemoRedis({ ...process.env, REDIS_URL: '', ...env })
  open.push(() => redis.stop())
  return redis
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A browser with its cookies, which can go on at another process of the application. */
interface Browser {
  get(path: string): Promise<Answer>
  post(path: string, body?: object, headers?: Record<string, string>): Promise<Answer>
  at(process: Process): Browser
}

interface Process {
  readonly demo: Demo
  readonly url: string
  browser(userAgent?: string): Browser
}

async function start(redis: DemoRedis): Promise<Process> {
  const demo = createDemo(redis, 'a secret of the tests, of 32 bytes and more')
  await demo.auth.holdfast.ready()
  const server = await new Promise<Server>((resolve) => {
    const listening = demo.app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  open.push(async () => {
    server.closeAllConnections()
    server.close()
    await demo.auth.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { demo, url, browser: (userAgent = laptop) => createBrowser(url, userAgent) }
}

function createBrowser(url: string, userAgent: string, cookies = new Map<string, string>()): Browser {
  async function visit(path: string, { headers, ...init }: RequestInit = {}): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const own = { cookie, 'user-agent': userAgent, 'content-type': 'application/json' }
    const response = await fetch(url + path, { ...init, headers: { ...own, ...(headers as object) } })
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0]!.split('=') as [string, string]
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return { status: response.status, body: await response.json() }
  }
  return {
    get: (path) => visit(path),
    post: (path, body = {}, headers = {}) =>
      visit(path, { method: 'POST', body: JSON.stringify(body), headers }),
    at: (process) => createBrowser(process.url, userAgent, cookies),
  }
}

async function login(process: Process, name: string, userAgent?: string): Promise<Browser> {
  const browser = process.browser(userAgent)
  expect(await browser.post('/login', { name })).toMatchObject({ status: 200, body: { name } })
  return browser
}

async function become(state: string, ...processes: Process[]): Promise<void> {
  for (const { demo, browser } of processes) {
    await browser().get('/me')
    await eventually(() => expect(demo.auth.holdfast.state).toBe(state))
  }
}

const me = async (browser: Browser): Promise<unknown> => (await browser.get('/me')).body

interface Device {
  readonly handle: string
  readonly device: string
  readonly since: number
  readonly isThis: boolean
}

const devicesOf = async (browser: Browser): Promise<Device[]> =>
  (await browser.get('/devices')).body as Device[]

describe('the demo', () => {
  it('goes on counting while its Redis is killed, and is right when it is back', async () => {
    const redis = await startRedis()
    const process = await start(redis)
    const browser = await login(process, 'ada')
    await browser.post('/count')
    await browser.post('/redis/kill')
    expect((await browser.post('/count')).body).toMatchObject({ name: 'ada', count: 2 })
    expect(await me(browser)).toEqual({ name: 'ada', email: null, count: 2, runsOn: 'memory' })
    expect((await browser.get('/state')).body).toMatchObject({
      state: 'degraded',
      redis: { isBreakable: true },
    })
    await browser.post('/redis/restart')
    await become('healthy', process)
    expect(await me(browser)).toEqual({ name: 'ada', email: null, count: 2, runsOn: false })
  })

  it('goes on while its Redis hangs', async () => {
    const process = await start(await startRedis())
    const browser = await login(process, 'ada')
    await browser.post('/redis/hang')
    expect((await browser.post('/count')).body).toMatchObject({ name: 'ada', count: 1 })
    await browser.post('/redis/continue')
    await become('healthy', process)
    await browser.post('/redis/hang')
    await browser.post('/redis/kill')
    expect((await browser.post('/count')).body).toMatchObject({ name: 'ada', count: 2 })
  })

  it('keeps a login in a process that has never seen it, and in a Redis that comes back empty', async () => {
    const redis = await startRedis()
    const [one, other] = [await start(redis), await start(redis)]
    const browser = await login(one, 'ada')
    await browser.post('/count')
    await redis.act('kill')
    await become('degraded', one, other)
    const elsewhere = browser.at(other)
    expect(await me(elsewhere)).toMatchObject({ name: 'ada', count: 1, runsOn: 'token' })
    expect((await elsewhere.post('/count')).body).toMatchObject({ count: 2 })
    await redis.act('restart-empty')
    await become('healthy', one, other)
    for (const process of [one, other])
      expect(await me(browser.at(process))).toMatchObject({ name: 'ada', count: 2, runsOn: false })
  })

  it('changes an e-mail address, but not while it cannot be sure of the session', async () => {
    const redis = await startRedis()
    const process = await start(redis)
    const browser = await login(process, 'ada')
    expect((await browser.post('/email', { email: 'nowhere' })).status).toBe(400)
    expect((await browser.post('/email', { email: 'ada@example.com' })).status).toBe(200)
    await redis.act('kill')
    await become('degraded', process)
    const refused = await browser.post('/email', { email: 'eve@example.com' })
    expect(refused).toMatchObject({ status: 503, body: { error: expect.stringMatching(/try again/) } })
    await redis.act('restart')
    await become('healthy', process)
    expect(await me(browser)).toMatchObject({ email: 'ada@example.com', runsOn: false })
    expect((await browser.post('/email', { email: 'ada@example.org' })).status).toBe(200)
  })

  it('asks for a login where there is somebody to be', async () => {
    const browser = (await start(await startRedis())).browser()
    expect((await browser.get('/devices')).status).toBe(401)
    for (const path of ['/devices/end', '/logout/others', '/logout/everywhere', '/email'])
      expect((await browser.post(path)).status).toBe(401)
    expect((await browser.post('/login', { name: '  ' })).status).toBe(400)
    expect((await browser.post('/count')).status).toBe(200)
  })

  it('lets nobody break a Redis that is not its own, and no other site press its buttons', async () => {
    const redis = await startRedis()
    const browser = (await start(redis)).browser()
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
    for (const path of ['/redis/kill', '/login', '/logout', '/logout/everywhere', '/email'])
      expect((await browser.post(path, {}, foreign)).status).toBe(403)
    expect((await browser.post('/redis/nonsense')).status).toBe(404)
    const guest = (await start(await startRedis({ REDIS_URL: redis.redis }))).browser()
    expect((await guest.post('/redis/kill')).status).toBe(403)
    expect((await guest.post('/login', { name: 'bob' })).status).toBe(200)
  })
})

describe('my devices', () => {
  it('are listed, each with what it is and since when, and ended one by one', async () => {
    const process = await start(await startRedis())
    const began = Date.now()
    const [own, other] = [await login(process, 'ada'), await login(process, 'ada', phone)]
    const bob = await login(process, 'bob')
    const devices = await devicesOf(own)
    expect(devices.map(({ device, isThis }) => [device, isThis])).toEqual(
      expect.arrayContaining([
        ['Firefox on Linux', true],
        ['Safari on iOS', false],
      ]),
    )
    for (const { since } of devices) expect(Math.abs(since - began)).toBeLessThan(10_000)
    const { handle } = devices.find(({ isThis }) => !isThis)!
    expect((await bob.post('/devices/end', { handle })).status).toBe(404)
    expect((await own.post('/devices/end', { handle })).status).toBe(200)
    expect(await me(other)).toMatchObject({ name: null })
    expect((await own.post('/devices/end', { handle })).status).toBe(404)
    expect(await devicesOf(own)).toHaveLength(1)
    expect(await me(bob)).toMatchObject({ name: 'bob' })
  })

  it('are all logged out but this one, in all processes', async () => {
    const redis = await startRedis()
    const [one, two] = [await start(redis), await start(redis)]
    const [own, other, bob] = [await login(one, 'ada'), await login(two, 'ada'), await login(two, 'bob')]
    expect((await own.post('/logout/others')).body).toMatchObject({ name: 'ada' })
    await eventually(async () => expect(await me(other)).toMatchObject({ name: null }))
    expect(await me(own.at(two))).toMatchObject({ name: 'ada' })
    expect(await me(bob)).toMatchObject({ name: 'bob' })
  })

  it('are all logged out during an outage, and stay so', async () => {
    const redis = await startRedis()
    const process = await start(redis)
    const [own, other] = [await login(process, 'ada'), await login(process, 'ada', phone)]
    await redis.act('kill')
    await become('degraded', process)
    expect(await devicesOf(own)).toHaveLength(2)
    expect((await own.post('/logout/everywhere')).body).toMatchObject({ name: null })
    expect(await me(other)).toMatchObject({ name: null })
    await redis.act('restart')
    await become('healthy', process)
    for (const browser of [own, other]) expect(await me(browser)).toMatchObject({ name: null })
    expect(await devicesOf(await login(process, 'ada'))).toHaveLength(1)
  })

  it('are there on a machine without Redis, too', async () => {
    const memory = { description: 'memory', redis: 'memory', isBreakable: false, act: async () => false }
    const process = await start({ ...memory, stop: async () => {} })
    const [own, other] = [await login(process, 'ada'), await login(process, 'ada', phone)]
    expect(await devicesOf(own)).toHaveLength(2)
    expect(await me(own)).toMatchObject({ runsOn: false })
    await own.post('/logout/others')
    expect(await me(other)).toMatchObject({ name: null })
    expect((await own.post('/logout')).body).toMatchObject({ name: null })
    expect(await me(own)).toMatchObject({ name: null })
  })

  it.each([
    ['Safari on iOS', phone],
    ['Firefox on Linux', laptop],
    [
      'Edge on Windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    ],
    [
      'Chrome on Android',
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
    ],
    [
      'Safari on macOS',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    ],
    ['curl', 'curl/8.5.0'],
    ['Something', undefined],
  ])('are named by their User-Agent: %s', (name, userAgent) => {
    expect(deviceOf(userAgent)).toBe(name)
  })
})
