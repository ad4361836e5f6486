import { createHoldfast, type Backend, type CommandPort } from '@holdfast/core'
import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Cluster, Redis } from 'ioredis'
import { Keyv as Keyv6 } from 'keyv-6'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createKeyv, KeyvHoldfast, type KeyvHoldfastOptions, type KeyvRedis } from '../src/index.ts'

let redis: RedisServer
const closing: (() => unknown)[] = []
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})
afterAll(() => redis.stop())

const quiet = { logger: false } as const
const option = { code: 'ERR_HOLDFAST_OPTION' }
/** What is not typed, as from JavaScript. */
const untyped = (options: object): KeyvHoldfastOptions => options

/** Creates both ways; gives the adapters. */
function bothOf(...given: [KeyvRedis, KeyvHoldfastOptions?]): KeyvHoldfast[] {
  const adapters = [createKeyv(...given).store as KeyvHoldfast, new KeyvHoldfast(...given)]
  for (const adapter of adapters) closing.push(() => adapter.disconnect())
  return adapters
}

/** What both ways of creating throw. */
function refusals(...given: unknown[]): unknown[] {
  const thrown: unknown[] = []
  for (const create of [createKeyv, (...of: [KeyvRedis]) => new KeyvHoldfast(...of)]) {
    try {
      create(...(given as [KeyvRedis]))
    } catch (error) {
      thrown.push(error)
    }
  }
  return thrown
}

function expectRefused(given: readonly unknown[], message: RegExp): void {
  const thrown = refusals(...given) as Error[]
  expect(thrown).toEqual([expect.objectContaining(option), expect.objectContaining(option)])
  for (const error of thrown) {
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('s3cret')
  }
}

describe('what may come first', () => {
  it.each([
    ['undefined, as a variable that is not set', undefined],
    ['null', null],
  ])('%s: the options count, and Redis is found without it', async (_what, first) => {
    vi.stubEnv('REDIS_URL', redis.url)
    for (const store of bothOf(first, { ...quiet, namespace: 'app', prefix: 'second' })) {
      expect(store.namespace).toBe('app')
      expect(await store.set('foo', 'bar')).toBe(true)
    }
    expect(await redis.control.command('EXISTS', 'second:keyv:app::foo')).toBe(1)
    vi.stubEnv('REDIS_URL', '')
    expect(bothOf(first, { ...quiet, redis: 'memory' })[1]!.holdfast.health().backend).toBe('memory')
  })

  it('a variable, and nothing at all', async () => {
    vi.stubEnv('REDIS_URL', redis.url)
    const variable: string | undefined = process.env['REDIS_URL']
    for (const store of [...bothOf(variable, quiet), ...bothOf(undefined)])
      expect(await store.set('foo', 'bar')).toBe(true)
  })

  it.each<[string, () => KeyvRedis]>([
    ['a URL as text', () => redis.url],
    ['a URL', () => new URL(redis.url)],
    [
      'an ioredis client',
      () => {
        const client = new Redis(redis.url)
        closing.push(() => client.disconnect())
        return client
      },
    ],
    [
      'a node-redis client',
      () => {
        const client = createClient({ url: redis.url })
        client.on('error', () => undefined)
        void client.connect()
        closing.push(() => client.destroy())
        return client
      },
    ],
  ])('%s', async (what, given) => {
    const namespace = `first ${what}`
    for (const store of bothOf(given(), { ...quiet, namespace })) {
      await store.holdfast.ready()
      await eventually(async () => expect(await store.set('foo', what)).toBe(true))
    }
    const key = `holdfast:keyv:${encodeURIComponent(namespace)}::foo`
    expect(await redis.control.command('EXISTS', key)).toBe(1)
  })

  it('any client that core knows', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: redis.port }], { lazyConnect: true })
    const port: KeyvRedis = {
      client: 'of the application',
      keyPrefix: '',
      clustered: false,
      send: () => Promise.reject(new Error('away')),
      shards: () => [],
      subscribe: () => Promise.reject(new Error('away')),
      watch: () => () => undefined,
      reset() {},
      close: async () => undefined,
    } satisfies CommandPort
    closing.push(() => cluster.disconnect())
    for (const client of [cluster, port])
      for (const { holdfast } of bothOf(client, quiet)) expect(holdfast.health().backend).toBe('redis')
  })

  it('neither a Redis nor options twice', () => {
    // @ts-expect-error: one object of options
    expectRefused([{ redis: redis.url }, { namespace: 'app' }] satisfies Parameters<typeof createKeyv>, /one/)
    expectRefused([redis.url, { redis: 'redis://u:s3cret@other' }], /"redis" must be left out/)
    const holdfast = createHoldfast({ redis: 'memory', ...quiet })
    closing.push(() => holdfast.close())
    expectRefused([redis.url, { holdfast }], /"redis" must be left out where "holdfast"/)
    expectRefused([{ redis: redis.url, holdfast }], /"redis" must be left out where "holdfast"/)
    expectRefused([redis.url, 'redis://u:s3cret@other'], /must be an object/)
  })

  it.each([
    ['a number', 6379],
    ['a function', () => 'redis://u:s3cret@host'],
    ['true', true],
  ])('%s: refused by core', (_what, given) => expectRefused([given], /"redis" must be/))
})

describe('an option', () => {
  const isPrimary = (name: string): boolean => name === 'backend' || name === 'holdfast'

  it.each(['url', 'socket', 'client', 'host', 'password'])('%s: the Redis goes by "redis"', (name) => {
    const message = new RegExp(`no option "${name}": name the Redis by "redis"`)
    expectRefused([{ [name]: 'redis://u:s3cret@host' }], message)
    expectRefused([redis.url, { [name]: 's3cret' }], message)
  })

  it.each(['keyPrefixSeparator', 'nameSpace', 'ttl', 'throwOnErrors', 'constructor', 'toString'])(
    '%s: there is none',
    (name) => expectRefused([{ ...quiet, [name]: 's3cret' }], new RegExp(`no option "${name}", only `)),
  )

  it.each([
    ['near', { maxEntry: 5 }, /"near.maxEntry", only maxEntries, maxBytes, maxAge/],
    ['compression', { level: 5 }, /"compression.level"/],
    ['encryption', { key: 's3cret' }, /"encryption.key"/],
    ['limits', { values: 5 }, /"limits.values"/],
    ['near', 'yes', /"near" must be true or false or an object/],
    ['near', null, /"near"/],
    ['compression', true, /"compression" must be false or an object/],
    ['compression', 'gzip', /"compression"/],
    ['encryption', 's3cret', /"encryption" must be an object; got "text"/],
    ['encryption', '', /"encryption"/],
    ['limits', 5, /"limits"/],
    ['rule', 'memroy', /"rule" must be "bypass" or "memory" or "refuse"/],
    ['near', { maxEntries: -1 }, /"near.maxEntries"/],
    ['encryption', { keys: ['s3cret'] }, /"encryption.keys\[0\]"/],
    ['limits', { value: 'huge' }, /"limits.value"/],
    ['compression', { codec: 'gzip' }, /"compression.codec"/],
    ['namespace', 5, /"namespace" must be text/],
    ['namespace', {}, /"namespace"/],
    ['backend', {}, /"backend" must/],
    ['holdfast', {}, /"holdfast" must/],
  ])('%s: %j is refused at construction', (name, value, message) =>
    expectRefused([{ ...quiet, ...(isPrimary(name) ? {} : { redis: 'memory' }), [name]: value }], message),
  )

  it('may be there and undefined', () => {
    const [store] = bothOf(redis.url, {
      ...quiet,
      holdfast: undefined,
      namespace: undefined,
      near: undefined,
      rule: undefined,
      compression: undefined,
      encryption: undefined,
      limits: undefined,
    })
    expect(store!.namespace).toBeUndefined()
  })

  it('that is wrong leaves no connection behind', async () => {
    let closed = 0
    const holdfast = createHoldfast({ redis: 'memory', ...quiet })
    const backend: Backend = { ...holdfast.backend, close: async () => void closed++ }
    expect(refusals(untyped({ ...quiet, backend, rule: 'memroy' }))).toHaveLength(2)
    expect(closed).toBe(2)
    expect(() => new KeyvHoldfast(untyped({ holdfast, rule: 'memroy' }))).toThrow(/rule/)
    expect(await new KeyvHoldfast({ holdfast }).set('foo', 1)).toBe(true)
    await holdfast.close()
  })
})

it('refuses a namespace of Keyv that is no text, and stays with the one it has', async () => {
  const [store] = bothOf(redis.url, { ...quiet, namespace: 'kept' })
  expect(() => new Keyv6({ store, namespace: 5 as unknown as string })).toThrow(/"namespace" must be text/)
  expect(store!.namespace).toBe('kept')
})
