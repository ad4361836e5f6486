import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { EventEmitter } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { shareFate, type Follower } from '../src/backend/redis/application-client.ts'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import { createHoldfast } from '../src/index.ts'
import { changesOf, isReady, text } from './redis-support.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const follower: Follower = { isReady: () => true, end() {}, begin() {}, loosen() {} }

describe('the limit of listeners of an application’s client', () => {
  it.each([
    [
      'ioredis',
      () => {
        const client = new Redis(redis.url)
        return { client, end: () => client.disconnect() }
      },
    ],
    [
      'node-redis',
      () => {
        const client = createClient({ url: redis.url })
        client.on('error', () => undefined)
        void client.connect()
        return { client, end: () => client.destroy() }
      },
    ],
  ])(
    'gives no warning for 12 Holdfasts on one client of %s, and is as before after them',
    async (_of, make) => {
      const warnings: Error[] = []
      const note = (warning: Error): void => void warnings.push(warning)
      process.on('warning', note)
      const { client, end } = make()
      const limit = client.getMaxListeners()
      const holdfasts = Array.from({ length: 12 }, () => createHoldfast({ redis: client, logger: false }))
      await Promise.all(holdfasts.map((holdfast) => holdfast.ready()))
      expect(client.listenerCount('end')).toBeGreaterThanOrEqual(12)
      expect(client.getMaxListeners()).toBe(limit + 12)
      await Promise.all(holdfasts.map((holdfast) => holdfast.close()))
      expect(client.getMaxListeners()).toBe(limit)
      end()
      await new Promise((resolve) => setImmediate(resolve))
      process.off('warning', note)
      expect(warnings).toEqual([])
    },
  )

  it.each([0, Infinity])('stays where there is none: %d', (limit) => {
    const client = new EventEmitter().setMaxListeners(limit)
    const fate = shareFate(client, follower)
    expect(client.getMaxListeners()).toBe(limit)
    fate.release()
    expect(client.getMaxListeners()).toBe(limit)
  })

  it('is raised by one for each, given back by each, and never becomes none', () => {
    const client = new EventEmitter().setMaxListeners(5)
    const fates = [shareFate(client, follower), shareFate(client, follower)]
    expect(client.getMaxListeners()).toBe(7)
    fates[0]!.release()
    expect(client.getMaxListeners()).toBe(6)
    client.setMaxListeners(1)
    fates[1]!.release()
    expect(client.getMaxListeners()).toBe(1)
  })

  it('need not be there', () => {
    const { on, off, listenerCount } = new EventEmitter()
    const client = { on, off, listenerCount }
    expect(() => shareFate(client, follower).release()).not.toThrow()
  })
})

describe('an application’s client of node-redis that bounds its queue', () => {
  it('does not bound ours, where each call beyond would look like a lost connection', async () => {
    const backend = redisBackendFrom(createClient({ url: redis.url, commandsQueueMaxLength: 5 }))
    onTestFinished(() => backend.close())
    await isReady(backend)
    const changes = changesOf(backend)
    const keys = Array.from({ length: 200 }, (_, i) => `key ${i}`)
    const outcomes = await Promise.all(keys.map((key) => backend.set(key, text('1'))))
    expect(outcomes.every(({ written }) => written)).toBe(true)
    expect(changes).toEqual([{ status: 'ready' }])
  })
})
