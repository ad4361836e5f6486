import 'reflect-metadata'
import {
  eventually,
  startProxy,
  startRedis,
  type Proxy,
  type RedisServer,
} from '@holdfast-internal/test-fixtures'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import type { Holdfast } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CACHE_MANAGER, CacheInterceptor, CacheModule, HOLDFAST, type CacheManager } from '../src/index.ts'
import { HoldfastHealthIndicator } from '../src/terminus.ts'
import { controllerOf, moduleOf, withContext, withServer, type Kit } from './kit.ts'

let redis: RedisServer
let proxy: Proxy

beforeEach(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
})

afterEach(async () => {
  await proxy.close()
  await redis.stop()
})

const adapter = ExpressAdapter as unknown as Kit['adapter']
const kit = { common, core, adapter }
const register = (options = {}) => CacheModule.register({ redis: proxy.url, logger: false, ...options })

const faults: [name: string, breaks: () => unknown, repairs: () => unknown][] = [
  ['killed', () => redis.kill({ keepData: true }), () => redis.restart()],
  ['hung', () => redis.freeze(), () => redis.thaw()],
  ['cut off', () => proxy.refuse(), () => proxy.restore()],
  [
    'out of memory',
    () => redis.control.command('CONFIG', 'SET', 'maxmemory', '1'),
    () => redis.control.command('CONFIG', 'SET', 'maxmemory', '0'),
  ],
]

describe('while Redis is away', () => {
  it.each(faults)(
    'no call of the cache manager fails, and nothing stale comes back: %s',
    async (name, breaks, repairs) => {
      const module = moduleOf(kit, { imports: [register()] })
      await withContext(kit, module, async (context) => {
        const cache = context.get<CacheManager>(CACHE_MANAGER)
        const holdfast = context.get<Holdfast>(HOLDFAST)
        // A busy machine may be late at the first connection: then nothing is kept before that is there.
        await eventually(async () => {
          await cache.mset(['deleted', 'written', 'kept'].map((key) => ({ key, value: 'old' })))
          expect(await cache.mget(['deleted', 'written', 'kept'])).toEqual(['old', 'old', 'old'])
        })

        await breaks()
        let runs = 0
        for (let i = 0; i < 10; i++) {
          expect(await cache.wrap(`wrapped ${i % 2}`, () => `made ${++runs}`)).toMatch(/^made/)
          expect(await cache.set('written', 'new')).toBe('new')
          expect(await cache.del('deleted')).toBe(true)
          expect(await cache.get('deleted')).toBeUndefined()
        }
        // It answers reads where only writes are refused.
        if (name !== 'out of memory') {
          expect(await cache.mget(['kept', 'written'])).toEqual([undefined, undefined])
          expect(await cache.ttl('kept')).toBeUndefined()
        }
        await cache.mset([{ key: 'other', value: 1 }])
        await cache.mdel(['other'])
        await cache.set('probe', 1)
        expect(holdfast.state).not.toBe('healthy')

        await repairs()
        await eventually(() => expect(holdfast.state).toBe('healthy'))
        await eventually(async () => expect(await cache.get('kept')).toBe('old'))
        expect(await cache.get('deleted')).toBeUndefined()
        expect(await cache.get('written')).not.toBe('old')
        await cache.set('written', 'newest')
        expect(await cache.get('written')).toBe('newest')
      })
    },
  )

  it('the interceptor runs the handler, without an error, and caches again afterwards', async () => {
    let count = 0
    const controller = controllerOf(kit, '', { count: () => ++count }, {}, [
      common.UseInterceptors(CacheInterceptor),
    ])
    const module = moduleOf(kit, { imports: [register()], controllers: [controller] })
    await withServer(kit, module, async (fetch) => {
      expect(await fetch('/count')).toEqual({ status: 200, cache: 'MISS', body: '1' })
      // The first use of all may take longer than a busy machine's deadline allows.
      const isHit = async (): Promise<void> =>
        expect(await fetch('/count')).toEqual({ status: 200, cache: 'HIT', body: `${count}` })
      await eventually(isHit)
      await redis.kill()
      const before = count
      for (let i = 1; i < 5; i++)
        expect(await fetch('/count')).toEqual({ status: 200, cache: 'MISS', body: `${before + i}` })
      await redis.restart({ empty: true })
      await eventually(isHit)
    })
  })

  it('comes up without Redis, unless that is asked for', async () => {
    await proxy.refuse()
    const module = moduleOf(kit, { imports: [register()] })
    await withContext(kit, module, async (context) => {
      const cache = context.get<CacheManager>(CACHE_MANAGER)
      expect(await cache.wrap('key', () => 'made')).toBe('made')
      await proxy.restore()
      await eventually(() => expect(context.get<Holdfast>(HOLDFAST).state).toBe('healthy'))
      await cache.set('key', 'kept')
      expect(await cache.get('key')).toBe('kept')
    })
    await proxy.refuse()
    const demanding = moduleOf(kit, { imports: [register({ requireAtStart: true })] })
    await expect(withContext(kit, demanding, async () => undefined)).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_UNAVAILABLE',
    })
  })

  it('the rule "memory" serves from memory, the rule "refuse" rejects', async () => {
    const memory = moduleOf(kit, { imports: [register({ rule: 'memory' })] })
    const refuse = moduleOf(kit, { imports: [register({ rule: 'refuse' })] })
    await withContext(kit, memory, (first) =>
      withContext(kit, refuse, async (second) => {
        await redis.kill()
        const cache = first.get<CacheManager>(CACHE_MANAGER)
        await eventually(async () => {
          await cache.set('key', 1)
          expect(await cache.get('key')).toBe(1)
        })
        const refusing = second.get<CacheManager>(CACHE_MANAGER)
        await eventually(() =>
          expect(refusing.get('key')).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' }),
        )
      }),
    )
  })

  it('health is degraded, which is not down', async () => {
    const module = moduleOf(kit, { imports: [register()], providers: [HoldfastHealthIndicator] })
    await withContext(kit, module, async (context) => {
      const health = context.get(HoldfastHealthIndicator)
      expect(health.check().redis).toMatchObject({ status: 'up', state: 'healthy' })
      await redis.kill()
      await eventually(() =>
        expect(health.check('cache').cache).toMatchObject({
          status: 'degraded',
          state: 'degraded',
          degraded: 'everything',
        }),
      )
      expect(JSON.stringify(health.check())).not.toContain('127.0.0.1')
    })
  })
})
