import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createHoldfast } from '@holdfast/core'
import { createKeyv as createOurs } from '@holdfast/keyv'
import KeyvRedis, { createKeyv } from '@keyv/redis'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { Cacheable, CacheableMemory, Keyv } from 'cacheable'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  CACHE_MANAGER,
  CacheModule,
  HoldfastModule,
  type CacheManager,
  type CacheModuleOptions,
} from '../src/index.ts'
import { moduleOf, withContext } from './kit.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => redis.control.command('FLUSHALL'))
afterEach(() => vi.unstubAllEnvs())

const kit = { common, core }

/** The keys in Redis, after a value was kept, and what is behind. */
async function keptIn(options: CacheModuleOptions, imports: common.DynamicModule[] = []) {
  const module = moduleOf(kit, {
    imports: [...imports, CacheModule.register(imports.length > 0 ? options : { logger: false, ...options })],
  })
  return withContext(kit, module, async (context) => {
    const cache = context.get<CacheManager>(CACHE_MANAGER)
    await cache.set('key', 'value')
    expect(await cache.get('key')).toBe('value')
    const keys = (await redis.control.command('KEYS', '*:key')) as string[]
    return {
      keys: keys.map(String),
      minutes: Math.round(((await cache.ttl('key')) ?? 0) - Date.now()) / 60_000,
    }
  })
}

describe('stores that were given to another cache manager', () => {
  const onRedis: [name: string, stores: () => unknown][] = [
    ['a Keyv on Redis', () => createKeyv(redis.url)],
    ['a Keyv of a Redis adapter', () => new Keyv({ store: new KeyvRedis(redis.url) })],
    ['a Redis adapter', () => new KeyvRedis(redis.url)],
    ['ours', () => createOurs(redis.url, { logger: false })],
    ['memory before Redis', () => [new Keyv({ store: new CacheableMemory() }), createKeyv(redis.url)]],
    ['a Cacheable', () => new Cacheable({ secondary: createKeyv(redis.url) })],
  ]
  it.each(onRedis)('say which Redis to use: %s', async (_name, stores) => {
    expect((await keptIn({ stores: stores() })).keys).toEqual(['holdfast:cache:key'])
  })

  it('keep their namespace and their ttl', async () => {
    const store = createKeyv(redis.url, { namespace: 'shop' })
    store.ttl = 600_000
    const kept = await keptIn({ stores: [store] })
    expect(kept.keys).toEqual(['holdfast:cache-shop:key'])
    expect(kept.minutes).toBeCloseTo(10, 0)
  })

  it.each([
    ['a Keyv', () => new Keyv()],
    ['a Keyv of memory', () => [new Keyv({ store: new CacheableMemory() })]],
    ['a Map', () => new Map()],
  ])('are kept in memory where they were: %s', async (_name, stores) => {
    vi.stubEnv('REDIS_URL', redis.url)
    expect((await keptIn({ stores: stores() })).keys).toEqual([])
  })

  it('are none where the list is empty', async () => {
    vi.stubEnv('REDIS_URL', redis.url)
    expect((await keptIn({ stores: [] })).keys).toEqual(['holdfast:cache:key'])
  })

  it.each([
    ['"stores" must hold a store on Redis or in memory. Give "redis"', { stores: { get() {}, set() {} } }],
    ['"stores" must hold', { stores: [new Map(), { get() {}, set() {} }] }],
    ['"stores" must be left out', { stores: new Map(), redis: 'memory' }],
    ['"store" is of cache-manager 5', { store: 'memory' }],
  ])('are refused with a reason: %s', async (message, options) => {
    await expect(keptIn(options as CacheModuleOptions)).rejects.toThrow(message)
  })
})

describe('options', () => {
  it('keep caches apart by a namespace, or by a prefix, to the letter', async () => {
    const given = { redis: redis.url }
    expect((await keptIn({ ...given, namespace: 'shop' })).keys).toEqual(['holdfast:cache-shop:key'])
    await redis.control.command('FLUSHALL')
    expect((await keptIn({ ...given, prefix: 'shop:' })).keys).toEqual(['shop:key'])
  })

  it.each([
    ['with a space', 'my app', 'my%20app'],
    ['with a colon, so that none is the beginning of another', 'shop:eu', 'shop%3Aeu'],
    ['that is long', 'x'.repeat(65), '#SNsfxLBUEWO-77ACFpMI322v-gw2NFpTXVHJ9a5NNac'],
  ])('take a namespace %s', async (_name, namespace, encoded) => {
    const { keys } = await keptIn({ redis: redis.url, namespace })
    expect(keys).toEqual([`holdfast:cache-${encoded}:key`])
  })

  it('take an empty namespace for none, and refuse what is no text by its name', async () => {
    expect((await keptIn({ redis: redis.url, namespace: '' })).keys).toEqual(['holdfast:cache:key'])
    await expect(keptIn({ redis: redis.url, namespace: 5 as never })).rejects.toThrow(
      'Option "namespace" must be text, or left out; got 5.',
    )
  })

  it('of @nestjs/cache-manager are all taken, with an effect or without', async () => {
    const idle = { isGlobal: true, nonBlocking: true, refreshAllStores: true, max: 100, typo: undefined }
    const given = { ttl: 600_000, refreshThreshold: 1, cacheId: 'id', namespace: 'shop' }
    const stores = [createKeyv(redis.url)]
    expect((await keptIn({ ...idle, ...given, stores })).keys).toEqual(['holdfast:cache-shop:key'])
  })

  it.each<[object, RegExp]>([
    [{ encription: { keys: ['secret'] } }, /^There is no option "encription", only (?!.*secret)/],
    [{ encryption: { key: 'secret' } }, /^There is no option "encryption.key", only keys, acceptPlaintext.$/],
    [{ near: { maxEntrys: 5 } }, /^There is no option "near.maxEntrys", only /],
    [{ circuit: { trip: 5 } }, /^There is no option "circuit.trip", only /],
    [{ limits: 5 }, /^Option "limits" must be an object; got 5.$/],
    [{ host: 'secret', port: 6379 }, /^There is no option "host": name the Redis by "redis".$/],
  ])('that there are not are refused, without values: %j', async (options, message) => {
    await expect(keptIn(options)).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_OPTION',
      message: expect.stringMatching(message),
    })
  })

  it.each<[object, RegExp]>([
    [{ near: true }, /^There is no option "near", only (?!.*secret)/],
    [{ url: 'redis://secret' }, /^There is no option "url": name the Redis by "redis".$/],
    [{ cache: { nera: true } }, /^There is no option "cache.nera", only (?!.*secret)/],
    [{ cache: { near: { maxEntrys: 5 } } }, /^There is no option "cache.near.maxEntrys", only /],
    [{ cache: 5 }, /^Option "cache" must be an object; got 5.$/],
  ])('that HoldfastModule has not are refused, without values: %j', async (options, message) => {
    const given = { redis: 'memory', logger: false, ...options } as const
    const modules = [
      HoldfastModule.forRoot(given),
      HoldfastModule.forRootAsync({ useFactory: () => ({ isGlobal: true, ...given }) }),
    ]
    for (const module of modules)
      await expect(keptIn({}, [module])).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_OPTION',
        message: expect.stringMatching(message),
      })
  })

  it('take the Redis of the environment; in production there has to be one', async () => {
    vi.stubEnv('REDIS_URL', redis.url)
    expect((await keptIn({})).keys).toEqual(['holdfast:cache:key'])
    vi.stubEnv('REDIS_URL', '')
    await redis.control.command('FLUSHALL')
    expect((await keptIn({})).keys).toEqual([])
    vi.stubEnv('NODE_ENV', 'production')
    await expect(keptIn({})).rejects.toThrow('REDIS_URL is not set')
  })

  it('without a Redis of its own a CacheModule goes on that of a HoldfastModule', async () => {
    const holdfast = createHoldfast({ redis: redis.url, prefix: 'app', logger: false })
    const root = (): common.DynamicModule => HoldfastModule.forRoot({ holdfast })
    expect((await keptIn({}, [root()])).keys).toEqual(['app:cache:key'])
    await redis.control.command('FLUSHALL')
    expect((await keptIn({ namespace: 'shop' }, [root()])).keys).toEqual(['app:cache-shop:key'])
    await expect(keptIn({ near: true }, [root()])).rejects.toThrow(
      'Option "near" must be given to HoldfastModule',
    )
    await redis.control.command('FLUSHALL')
    expect((await keptIn({ redis: redis.url }, [root()])).keys).toEqual(['holdfast:cache:key'])
    await holdfast.close()
  })

  it('of the engine are checked at the start', async () => {
    await expect(keptIn({ redis: redis.url, rule: 'whatever' as never })).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_OPTION',
    })
  })
})
