import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import { sources, startBalancer } from './balancer.ts'
import { isReady, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

let redis: RedisServer
/** Takes connections, and says nothing. */
let frozen: RedisServer
beforeAll(async () => {
  ;[redis, frozen] = await Promise.all([startRedis(), startRedis()])
  frozen.freeze()
})
afterAll(() => Promise.all([redis.stop(), frozen.stop()]))

describe.each(Object.keys(sources))('a connection that listens for %s, and is never answered', (name) => {
  it('gives way to one that is, and leaves nothing behind', async () => {
    const balancer = await startBalancer(redis)
    const backend = redisBackendFrom(sources[name]!(balancer))
    onTestFinished(() => backend.close())
    await isReady(backend)
    let isHearing = false
    let gaps = 0
    backend.track!('', { onChange: () => undefined, onHearing: (now) => void (isHearing = now) })
    await backend.subscribe('channel', () => undefined, { onGap: () => void gaps++ })
    await eventually(() => expect(isHearing).toBe(true))
    const open = balancer.open
    balancer.leadTo(frozen)
    await redis.control.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually(() => expect(isHearing).toBe(false))
    await pause(600)
    balancer.leadTo(redis)
    await eventually(() => expect([isHearing, gaps]).toEqual([true, 1]), { within: 5_000 })
    await eventually(() => expect(balancer.open).toBe(open), { within: 5_000 })
  })

  it('is given up when the backend is closed', async () => {
    const balancer = await startBalancer(redis)
    const backend = redisBackendFrom(sources[name]!(balancer))
    await isReady(backend)
    const open = balancer.open
    balancer.leadTo(frozen)
    const subscribing = backend.subscribe('channel', () => undefined)
    await eventually(() => expect(balancer.open).toBe(open + 1))
    const began = performance.now()
    await Promise.all([expect(subscribing).rejects.toThrow(), backend.close()])
    expect(performance.now() - began).toBeLessThan(1_000)
    // ioredis ends a socket in the orderly way first, and gives that two seconds.
    await eventually(
      () => expect(balancer.open).toBeLessThanOrEqual(name === 'a client of ioredis' ? 1 : 0),
      {
        within: 4_000,
      },
    )
  })
})
