import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import { createHoldfast, type Cache, type CacheOptions, type Holdfast } from '../src/index.ts'
import { endCommands, sources, startBalancer, type Balancer } from './balancer.ts'
import { isReady, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

let before: RedisServer
let after: RedisServer
beforeAll(async () => {
  ;[before, after] = await Promise.all([startRedis(), startRedis()])
})
afterAll(() => Promise.all([before.stop(), after.stop()]))
beforeEach(() => Promise.all([before.control.command('FLUSHALL'), after.control.command('FLUSHALL')]))

/** Another server takes over. The one before lives on, and only the connection for commands is ended. */
async function move(balancer: Balancer): Promise<void> {
  balancer.leadTo(after)
  await endCommands(before)
}

describe.each(Object.keys(sources))('what listens for %s', (name) => {
  it('moves with the commands, once, and says that it was deaf', async () => {
    const balancer = await startBalancer(before)
    const backend = redisBackendFrom(sources[name]!(balancer))
    onTestFinished(() => backend.close())
    await isReady(backend)
    const told: string[] = []
    const heard: string[] = []
    const changed: string[] = []
    await backend.subscribe('channel', (message) => heard.push(String(message)), {
      onGap: () => void told.push('gap'),
      onLost: () => void told.push('lost'),
    })
    backend.track!('moved:', {
      onChange: (keys) => changed.push(...(keys ?? ['all'])),
      onHearing: (isHearing) => told.push(isHearing ? 'hearing' : 'deaf'),
    })
    await eventually(() => expect(told).toEqual(['hearing']))
    const ours = balancer.accepted
    await move(balancer)
    await eventually(() => expect(told.toSorted()).toEqual(['deaf', 'gap', 'hearing', 'hearing', 'lost']))
    await backend.set('moved:mine', Buffer.from('1'))
    await after.control.command('SET', 'moved:theirs', '1')
    await after.control.command('PUBLISH', 'channel', 'message')
    await eventually(() => expect(heard).toEqual(['message']))
    await eventually(() => expect(changed).toEqual(['moved:mine', 'moved:theirs']))
    // Longer than what is lost waits before it is opened again.
    await pause(400)
    expect(told).toHaveLength(5)
    // An application's client of ioredis comes back as well.
    expect(balancer.accepted - ours).toBe(name === 'a client of ioredis' ? 4 : 3)
  })

  it('is not opened as long as commands cannot be sent', async () => {
    const balancer = await startBalancer(before)
    const backend = redisBackendFrom(sources[name]!(balancer))
    onTestFinished(() => backend.close())
    await expect(backend.subscribe('channel', () => undefined)).rejects.toThrow('no connection')
    await isReady(backend)
    await backend.subscribe('channel', () => undefined)
  })
})

describe.each([[{ near: true }], [{}]] as const)(
  'a cache (%o) whose commands moved to another server',
  (options) => {
    async function start(redis: string, own: CacheOptions): Promise<{ holdfast: Holdfast; cache: Cache }> {
      const holdfast = createHoldfast({ redis, logger: false, circuit: { recoveryJitter: 0 } })
      onTestFinished(() => holdfast.close())
      const cache = holdfast.cache({ ttl: '1h', ...own })
      await holdfast.ready()
      return { holdfast, cache }
    }

    it('hears what others do there', async () => {
      const balancer = await startBalancer(before)
      const b = await start(balancer.url, options)
      const isOn = (): void => {
        if ('near' in options) expect(b.cache.statistics().near.isOn).toBe(true)
      }
      await eventually(isOn)
      await b.cache.set('key', 'v1')
      expect(await b.cache.get('key')).toBe('v1')
      await move(balancer)
      await eventually(() => expect(b.holdfast.state).not.toBe('healthy'))
      await eventually(() => expect(b.holdfast.state).toBe('healthy'))
      await eventually(isOn)
      const a = await start(after.url, {})
      for (const change of [
        () => a.cache.set('key', 'v2', { tags: ['tag'] }),
        () => a.cache.set('key', 'v3', { tags: ['tag'] }),
        () => a.cache.deleteByTag('tag'),
        () => a.cache.set('key', 'v4'),
        () => a.cache.clear(),
        () => a.cache.set('key', 'v5'),
      ]) {
        await change()
        const now = await a.cache.get('key')
        await eventually(async () => expect(await b.cache.get('key')).toBe(now), { within: 2_000 })
      }
    })
  },
)
