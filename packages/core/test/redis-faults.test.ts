import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { classify } from '../src/availability/classify.ts'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import type { RedisBackend } from '../src/backend/redis/redis.ts'
import { createHoldfast } from '../src/index.ts'
import { changesOf, isReady, text, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

const clients = {
  ioredis: (url: string) => redisBackendFrom(url),
  'node-redis': (url: string) => redisBackendFrom(createClient({ url })),
}

async function someRedis(options: { args?: string[]; password?: string } = {}) {
  const redis = await startRedis(options)
  onTestFinished(() => redis.stop())
  return redis
}

async function timed(promise: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await promise
  return performance.now() - start
}

describe.each(Object.keys(clients) as (keyof typeof clients)[])('the Redis backend over %s', (client) => {
  function open(url: string): RedisBackend {
    const backend = clients[client](url)
    onTestFinished(() => backend.close())
    return backend
  }

  /** A server, a proxy before it, and a backend that is ready behind both. */
  async function throughProxy() {
    const redis = await someRedis()
    const proxy = await startProxy({ port: redis.port })
    onTestFinished(() => proxy.close())
    const backend = open(proxy.url)
    await isReady(backend)
    return { redis, proxy, backend }
  }

  it('rejects at once while Redis is away, says why, and is back within a second of it', async () => {
    const redis = await someRedis()
    await redis.kill()
    const backend = open(redis.url)
    const changes = changesOf(backend)
    await expect.poll(() => changes).toMatchObject([{ status: 'lost', cause: { code: 'ECONNREFUSED' } }])
    expect(
      await timed(expect(backend.get('k')).rejects.toMatchObject({ code: 'ECONNREFUSED' })),
    ).toBeLessThan(20)
    await redis.restart()
    expect(await timed(isReady(backend))).toBeLessThan(1_000)
    expect(await backend.set('k', text('1'))).toEqual({ written: true })
  })

  it('notices a killed server, rejects what is in flight and recovers', async () => {
    const redis = await someRedis()
    const backend = open(redis.url)
    await isReady(backend)
    const changes = changesOf(backend)
    redis.freeze()
    const inFlight = backend.get('k').catch((error: unknown) => classify(error).kind)
    await redis.kill()
    expect(await inFlight).toBe('unavailable')
    await expect.poll(() => changes.some(({ status }) => status === 'lost')).toBe(true)
    await redis.restart()
    await isReady(backend)
    expect(await backend.get('k')).toBeUndefined()
  })

  it('can be reset out of a hang, and comes back when the server does', async () => {
    const redis = await someRedis()
    const backend = open(redis.url)
    await isReady(backend)
    redis.freeze()
    const inFlight = backend.get('k').catch((error: unknown) => classify(error).kind)
    backend.reset()
    backend.reset()
    expect(await inFlight).toBe('unavailable')
    await expect
      .poll(() => backend.get('k').catch((error: unknown) => classify(error).kind))
      .toBe('unavailable')
    backend.reset()
    // Long enough for an attempt to be given up in its handshake.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    redis.thaw()
    expect(await timed(isReady(backend))).toBeLessThan(2_000)
    expect(await backend.get('k')).toBeUndefined()
  })

  it('is not stuck in the handshake of a server that says nothing', async () => {
    const redis = await someRedis()
    redis.freeze()
    const backend = open(redis.url)
    const changes = changesOf(backend)
    await expect.poll(() => changes[0]?.status, { timeout: 3_000 }).toBe('lost')
    redis.thaw()
    expect(await timed(isReady(backend))).toBeLessThan(2_000)
  })

  it('says that the password is wrong, without saying it', async () => {
    const redis = await someRedis({ password: 'correct' })
    const backend = open(redis.url.replace('correct', 'mistaken'))
    const changes = changesOf(backend)
    await expect.poll(() => changes.length).toBeGreaterThan(0)
    expect(changes[0]).toMatchObject({
      status: 'lost',
      cause: { message: expect.stringMatching(/^WRONGPASS/) },
    })
    expect(changes[0]!).not.toMatchObject({ cause: { command: expect.anything() } })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(changes).toHaveLength(1)
  })

  it('is not ready on another database than it was told', async () => {
    const redis = await someRedis()
    const backend = open(`${redis.url}/99`)
    const changes = changesOf(backend)
    await expect.poll(() => changes.length).toBeGreaterThan(0)
    expect(changes[0]).toMatchObject({
      status: 'lost',
      cause: { message: expect.stringContaining('out of range') },
    })
    await expect(backend.set('k', text('1'))).rejects.toThrow('out of range')
    expect(await redis.control.command('DBSIZE')).toBe(0)
  })

  it('notices replies that have shifted, instead of giving the answer to another call', async () => {
    const { redis, proxy, backend } = await throughProxy()
    for (const key of ['a', 'b', 'c']) await backend.set(key, text(key))
    await backend.getBound('a')
    // Redis knows both scripts from here on.
    await backend.set('a', text('a'), { ifAbsent: true })
    redis.freeze()
    const calls = [
      backend.delete('a'),
      backend.getMany(['b', 'c']),
      backend.getBound('b'),
      backend.set('new', text('1'), { ifAbsent: true }),
      backend.set('c', text('2')),
      backend.touch('c', 1_000),
    ]
    const outcomes = Promise.allSettled(calls)
    await new Promise((resolve) => setTimeout(resolve, 50))
    proxy.garble(text('+OK\r\n'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    redis.thaw()
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { integrity: true } })
      expect(classify((outcome as PromiseRejectedResult).reason).kind).toBe('integrity')
    }
    backend.reset()
    await isReady(backend)
    expect(await backend.get('b')).toEqual(text('b'))
  })

  it('drops a connection that speaks without being asked', async () => {
    const { proxy, backend } = await throughProxy()
    await backend.set('k', text('1'))
    const changes = changesOf(backend)
    proxy.garble(text('$5\r\nalice\r\n'))
    await expect.poll(() => changes.at(-1)?.status === 'ready' && changes.length).toBe(3)
    expect(await backend.get('k')).toEqual(text('1'))
  })

  it('survives bytes that no Redis sends while answers are due', async () => {
    const { redis, proxy, backend } = await throughProxy()
    await backend.set('k', text('1'))
    const heard: string[] = []
    await backend.subscribe('channel', (message) => heard.push(String(message)))
    redis.freeze()
    const outcomes = Promise.allSettled([backend.get('k'), backend.set('k', text('2'))])
    await new Promise((resolve) => setTimeout(resolve, 50))
    proxy.garble(text('HTTP/1.1 400 Bad Request\r\n\r\n'))
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected' })
    redis.thaw()
    await expect.poll(() => backend.get('k').catch(() => undefined)).toBeDefined()
    await expect
      .poll(async () => {
        await backend.publish('channel', text('again')).catch(() => undefined)
        return heard.length
      })
      .toBeGreaterThan(0)
  })

  it('hears again after its subscriber lost the connection', async () => {
    const redis = await someRedis()
    const backend = open(redis.url)
    await isReady(backend)
    const heard: string[] = []
    await backend.subscribe('channel', (message) => heard.push(String(message)))
    await redis.restart()
    await isReady(backend)
    await expect
      .poll(async () => {
        await backend.publish('channel', text('again')).catch(() => undefined)
        return heard.length
      })
      .toBeGreaterThan(0)
  })
})

describe("an application's own client", () => {
  it('is not touched by a reset, nor by being closed', async () => {
    const redis = await someRedis()
    const app = new Redis(redis.port)
    onTestFinished(() => app.disconnect())
    const backend = redisBackendFrom(app)
    await isReady(backend)
    const pending = app.blpop('list', 1)
    backend.reset()
    await backend.close()
    expect(await pending).toBeNull()
    expect(app.status).toBe('ready')
  })

  it('of node-redis without an error listener survives the end of its server', async () => {
    const redis = await someRedis()
    const app = createClient({ url: redis.url, socket: { reconnectStrategy: 100 } })
    await app.connect()
    onTestFinished(() => app.destroy())
    const backend = redisBackendFrom(app)
    onTestFinished(() => backend.close())
    await isReady(backend)
    await redis.restart()
    await isReady(backend)
    await expect.poll(() => app.isReady).toBe(true)
  })

  it('is followed when it ends and when it begins again', async () => {
    const redis = await someRedis()
    const app = new Redis(redis.port)
    onTestFinished(() => app.disconnect())
    const backend = redisBackendFrom(app)
    onTestFinished(() => backend.close())
    await isReady(backend)
    await app.quit()
    await expect.poll(() => redis.control.command('CLIENT', 'LIST').then(connections)).toBe(1)
    await app.connect()
    await isReady(backend)
    expect(await backend.get('k')).toBeUndefined()
  })
})

function connections(list: unknown): number {
  return String(list).trim().split('\n').length
}

describe('a Redis that is read in', () => {
  it('is away while it loads, and back within a second of its data', { timeout: 30_000 }, async () => {
    const redis = await someRedis({
      args: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024'],
    })
    const before = redisBackendFrom(redis.url)
    onTestFinished(() => before.close())
    await isReady(before)
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => before.set(`k${index}`, Buffer.alloc(500))))
    await redis.control.command('SAVE')
    await redis.restart()
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    onTestFinished(() => holdfast.close())
    await holdfast.ready()
    expect(holdfast.health()).toMatchObject({ state: 'degraded', fault: { code: 'LOADING' } })
    await expect
      .poll(() => redis.control.command('GET', 'k1').catch(() => undefined), { timeout: 20_000 })
      .toBeTruthy()
    expect(await timed(expect.poll(() => holdfast.state).toBe('healthy'))).toBeLessThan(1_000)
  })
})

describe('a Redis that refuses INFO', () => {
  it.each([
    ['to this user', ['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-info']],
    ['to anybody', ['--rename-command', 'INFO', '']],
  ])('%s can be used, in silence', async (_, args) => {
    const { url } = await someRedis({ args })
    const written = vi.spyOn(console, 'warn')
    onTestFinished(() => written.mockRestore())
    const holdfast = createHoldfast({ redis: url, logger: false })
    onTestFinished(() => holdfast.close())
    await holdfast.ready()
    expect(holdfast.state).toBe('healthy')
    const cache = holdfast.cache({ near: true })
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(written).not.toHaveBeenCalled()
  })
})
