import { createHoldfast, createMemoryBackend, type CacheOptions, type Holdfast } from '@holdfast/core'
import { defineCache, type CacheSubject, type ConformantCache } from '@holdfast/conformance'
import { startProxy, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createClient } from 'redis'

/** How late Redis answers when it is slow, in ms. */
const slowness = 2_000
const factories = 16
/** In ms: twice the default, as all that a busy machine has just begun would look like an outage. */
const operationTimeout = 400
/** In ms: less than a cache that is created in an outage may take. */
const startsWithin = 1_500
/** Many caches are made, and room for many entries takes its time to make. */
const maxEntries = 2_000
/** What keeps values near at hand. */
export const near = { maxEntries }
/** How long a near cache may take to hear of changes, in ms; then the suite finds out for itself. */
const patience = 2_000

export interface RedisCacheOptions {
  readonly options?: CacheOptions
  /** Over an application's own node-redis client. */
  readonly isNodeRedis?: boolean
}

/** Core's cache over memory: it has no other side, so no fault can come between. */
export function memoryCacheSubject(): CacheSubject {
  const { create, close } = creator()
  const backend = createMemoryBackend()
  const shared = { ...backend, close: async () => undefined }
  return defineCache({
    name: 'memory',
    create: (space) => create(createHoldfast({ backend: shared, logger: false, prefix: space }), {}),
    close,
    plant: async (space, key, value) =>
      void (await backend.set(
        `${space}:cache:${key}`,
        value instanceof Uint8Array ? value : Buffer.from(value.join()),
      )),
    grace: true,
    stop: () => backend.close(),
  })
}

/** Core's cache over Redis, behind a proxy of its own. */
export async function redisCacheSubject(
  name: string,
  redis: RedisServer,
  { options = {}, isNodeRedis = false }: RedisCacheOptions = {},
): Promise<CacheSubject> {
  const proxy = await startProxy(redis)
  const { create, close } = creator()
  const open = (space: string): Promise<ConformantCache> => {
    const base = { logger: false, prefix: space, fallback: { maxEntries }, operationTimeout } as const
    const cacheOptions = { factories: { max: factories }, ...options }
    if (!isNodeRedis) return create(createHoldfast({ redis: proxy.url, ...base }), cacheOptions)
    const client = createClient({ url: proxy.url })
    client.on('error', () => undefined)
    void client.connect().catch(() => undefined)
    return create(createHoldfast({ redis: client, ...base }), cacheOptions, async () => client.destroy())
  }
  return defineCache({
    name,
    create: open,
    createPeer: open,
    close,
    async plant(space, key, value) {
      const wireKey = `${space}:cache:${key}`
      if (value instanceof Uint8Array)
        return void (await redis.control.command('SET', wireKey, Buffer.from(value)))
      await redis.control.command('DEL', wireKey)
      await redis.control.command('RPUSH', wireKey, ...value)
    },
    grace: true,
    factories,
    fault: {
      cut: () => proxy.refuse(),
      hang: async () => proxy.hold(),
      slow: async () => proxy.delay(slowness),
      restore: () => proxy.restore(),
    },
    stop: () => proxy.close(),
  })
}

/** Creates caches, each on a Holdfast of its own that is closed with it. */
function creator(): {
  create(holdfast: Holdfast, options: CacheOptions, end?: () => Promise<void>): Promise<ConformantCache>
  close(cache: ConformantCache): Promise<void>
} {
  const closers = new WeakMap<ConformantCache, () => Promise<void>>()
  return {
    async create(holdfast, options, end) {
      const cache = holdfast.cache(options)
      closers.set(cache, async () => {
        await holdfast.close()
        await end?.()
      })
      await holdfast.ready()
      await keeps(cache)
      const until = performance.now() + patience
      const isNearLate = (): boolean => options.near !== undefined && !cache.statistics().near.isOn
      while (holdfast.state === 'healthy' && isNearLate() && performance.now() < until)
        await new Promise((resolve) => void setTimeout(resolve, 10))
      return cache
    },
    close: async (cache) => closers.get(cache)?.(),
  }
}

/**
 * Waits until the cache keeps what it is given: where a busy machine was late at the first connection, that counts as an outage, and
 * its end takes a while. In an outage that is one of the suite's, the wait has an end.
 */
async function keeps(cache: ConformantCache): Promise<void> {
  const until = performance.now() + startsWithin
  do {
    await cache.set('started', true)
    if ((await cache.get('started')) === true) break
    await new Promise((resolve) => void setTimeout(resolve, 10))
  } while (performance.now() < until)
  await cache.delete('started')
}
