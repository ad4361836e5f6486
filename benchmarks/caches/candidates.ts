import { createHoldfast, type CacheOptions } from '@holdfast/core'
import { createKeyv as createKeyvOverRedis } from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'
import { createCache } from 'cache-manager'
import { Cacheable, createKeyv as createKeyvInMemory } from 'cacheable'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'

/** A cache, in the words that all have in common. */
export interface Candidate {
  get(key: string): Promise<unknown>
  getMany(keys: readonly string[]): Promise<readonly unknown[]>
  set(key: string, value: unknown): Promise<unknown>
  /** What the library has for this; left out where it has nothing. */
  getOrSet?(key: string, factory: () => Promise<unknown>): Promise<unknown>
  /** What `get` finds in Redis does not come into memory, only what `getOrSet` finds. */
  readonly fillsByGetOrSet?: true
  close(): Promise<unknown>
}

/** Opens a candidate over the Redis at a URL. */
export type Open = (url: string) => Candidate | Promise<Candidate>

const hour = 3_600_000

/** Redis only: what a hit in the primary costs. The first is the bare client, the second is ours. */
export const overRedis: Readonly<Record<string, Open>> = {
  ioredis: bare,
  Holdfast: (url) => holdfast(url, 'holdfast'),
  keyv: (url) => ofKeyv(createKeyvOverRedis(url, { namespace: 'keyv' })),
  cacheable: (url) =>
    ofCacheable(new Cacheable({ primary: createKeyvOverRedis(url, { namespace: 'cacheable' }), ttl: hour })),
  'cache-manager': (url) => ofCacheManager([createKeyvOverRedis(url, { namespace: 'cache-manager' })]),
  bentocache: (url) => bento('bento', bentostore().useL2Layer(driver(url))),
}

/** Ours without what no other does. */
export const uncompressed: Readonly<Record<string, Open>> = {
  'Holdfast, compression: false': (url) => holdfast(url, 'holdfast-plain', { compression: false }),
}

/** With a layer in memory of so many entries above Redis, for those that have such a thing. The first is ours. */
export function withNear(maxEntries: number): Readonly<Record<string, Open>> {
  const inMemory = (): Keyv => createKeyvInMemory({ lruSize: maxEntries })
  return {
    Holdfast: (url) => holdfast(url, 'holdfast-near', { near: { maxEntries, maxBytes: '1GB' } }),
    cacheable: (url) =>
      ofCacheable(
        new Cacheable({
          primary: inMemory(),
          secondary: createKeyvOverRedis(url, { namespace: 'cacheable-near' }),
          ttl: hour,
        }),
      ),
    'cache-manager': (url) =>
      ofCacheManager([inMemory(), createKeyvOverRedis(url, { namespace: 'cache-manager-near' })]),
    bentocache: (url) =>
      bento(
        'bento-near',
        bentostore()
          .useL1Layer(memoryDriver({ maxItems: maxEntries }))
          .useL2Layer(driver(url)),
      ),
  }
}

/**
 * Peers that keep the very object they were given. Not above Redis: keyv and the default store of cache-manager are one layer,
 * and bentocache 1.6.1 without serialization throws at what it took from Redis into memory.
 */
export function inMemoryOnly(maxEntries: number): Readonly<Record<string, Open>> {
  return {
    keyv: () => ofKeyv(new Keyv()),
    'cache-manager, default store': () => ofCacheManager(undefined),
    'bentocache, serialize: false': () =>
      bento(
        'bento-memory',
        bentostore().useL1Layer(memoryDriver({ maxItems: maxEntries, serialize: false })),
      ),
  }
}

function bare(url: string): Candidate {
  const client = new Redis(url)
  const parse = (json: string | null): unknown => json && (JSON.parse(json) as unknown)
  return {
    get: async (key) => parse(await client.get(`ioredis:${key}`)),
    getMany: async (keys) => (await client.mget(keys.map((key) => `ioredis:${key}`))).map(parse),
    set: (key, value) => client.set(`ioredis:${key}`, JSON.stringify(value), 'PX', hour),
    close: () => client.quit(),
  }
}

async function holdfast(url: string, prefix: string, options: CacheOptions = {}): Promise<Candidate> {
  const made = createHoldfast({ redis: url, logger: false, prefix })
  const cache = made.cache({ ttl: '1h', ...options })
  await made.ready()
  return {
    get: cache.get,
    getMany: cache.getMany,
    set: cache.set,
    getOrSet: cache.getOrSet,
    close: () => made.close(),
  }
}

function ofKeyv(keyv: Keyv): Candidate {
  return {
    get: (key) => keyv.get(key),
    getMany: (keys) => keyv.getMany([...keys]),
    set: (key, value) => keyv.set(key, value, hour),
    close: () => keyv.disconnect(),
  }
}

function ofCacheable(cacheable: Cacheable): Candidate {
  return {
    get: (key) => cacheable.get(key),
    getMany: (keys) => cacheable.getMany([...keys]),
    set: (key, value) => cacheable.set(key, value, hour),
    getOrSet: (key, factory) => cacheable.getOrSet(key, factory, { ttl: hour }),
    close: () => cacheable.disconnect(),
  }
}

function ofCacheManager(stores: Keyv[] | undefined): Candidate {
  const cache = createCache({ ttl: hour, ...(stores && { stores }) })
  return {
    get: (key) => cache.get(key),
    getMany: (keys) => cache.mget([...keys]),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, factory) => cache.wrap(key, factory),
    fillsByGetOrSet: true,
    close: () => cache.disconnect(),
  }
}

function bento(prefix: string, layers: ReturnType<typeof bentostore>): Candidate {
  const cache = new BentoCache({ default: 'cache', ttl: hour, prefix, stores: { cache: layers } })
  return {
    get: (key) => cache.get({ key }),
    // It has none.
    getMany: (keys) => Promise.all(keys.map((key) => cache.get({ key }))),
    set: (key, value) => cache.set({ key, value }),
    getOrSet: (key, factory) => cache.getOrSet({ key, factory }),
    close: () => cache.disconnectAll(),
  }
}

function driver(url: string): ReturnType<typeof redisDriver> {
  const { hostname: host, port } = new URL(url)
  return redisDriver({ connection: { host, port: Number(port) } })
}
