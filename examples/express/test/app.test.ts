import { eventually } from '@holdfast-internal/test-fixtures'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createDemo, type Demo } from '../app.ts'
import { findDemoRedis, type DemoRedis } from '../demo-redis.ts'

const open: { redis: DemoRedis; demo: Demo; server: Server }[] = []

afterEach(async () => {
  for (const { redis, demo, server } of open.splice(0)) {
    server.closeAllConnections()
    server.close()
    await demo.sessions.close()
    await redis.stop()
  }
})

async function start(env: NodeJS.ProcessEnv = {}) {
  const redis = await findDemoRedis({ ...process.env, REDIS_URL: '', ...env })
  const demo = createDemo(redis, 'of the tests')
  const server = await new Promise<Server>((resolve) => {
    const listening = demo.app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  open.push({ redis, demo, server })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let cookie = ''
  async function visit(path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> {
    const headers = { cookie, 'content-type': 'application/json', ...(init.headers as object) }
    const response = await fetch(url + path, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return { status: response.status, body: await response.json() }
  }
  const post = (path: string, body: object = {}, headers: object = {}) =>
    visit(path, { method: 'POST', body: JSON.stringify(body), headers: headers as Record<string, string> })
  return { demo, redis, visit, post }
}

describe('the demo', () => {
  it('goes on counting while its Redis is killed, and is right when it is back', async () => {
    const { demo, visit, post } = await start()
    await post('/login', { name: 'ada' })
    await post('/count')
    await post('/redis/kill')
    expect((await post('/count')).body).toEqual({ name: 'ada', count: 2 })
    expect((await visit('/state')).body).toMatchObject({ state: 'degraded', redis: { isBreakable: true } })
    await post('/redis/restart')
    await eventually(() => expect(demo.sessions.holdfast.state).toBe('healthy'))
    expect((await visit('/me')).body).toEqual({ name: 'ada', count: 2 })
  })

  it('goes on while its Redis hangs', async () => {
    const { demo, post } = await start()
    await post('/login', { name: 'ada' })
    await post('/redis/hang')
    expect((await post('/count')).body).toEqual({ name: 'ada', count: 1 })
    await post('/redis/continue')
    await eventually(() => expect(demo.sessions.holdfast.state).toBe('healthy'))
    await post('/redis/hang')
    await post('/redis/kill')
    expect((await post('/count')).body).toEqual({ name: 'ada', count: 2 })
  })

  it('lets nobody break a Redis that is not its own, and no other site press its buttons', async () => {
    const own = await start()
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
    expect((await own.post('/redis/kill', {}, foreign)).status).toBe(403)
    expect((await own.post('/redis/nonsense')).status).toBe(404)
    expect((await own.post('/login', { name: '  ' })).status).toBe(400)
    const guest = await start({ REDIS_URL: own.redis.redis })
    expect((await guest.post('/redis/kill')).status).toBe(403)
    expect((await guest.post('/login', { name: 'bob' })).status).toBe(200)
  })
})
