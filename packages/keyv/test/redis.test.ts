import { eventually, startProxy, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entriesOf } from './grounds.ts'
import { KeyvHoldfast, type KeyvHoldfastOptions } from '../src/index.ts'

let redis: RedisServer
const open: KeyvHoldfast[] = []
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await Promise.all(open.map((store) => store.disconnect()))
  await redis.stop()
})

async function on(options: KeyvHoldfastOptions = {}): Promise<KeyvHoldfast> {
  const store = new KeyvHoldfast({
    redis: redis.url,
    operationTimeout: 5_000,
    logger: false,
    ...options,
  })
  open.push(store)
  await store.holdfast.ready()
  return store
}

async function calls(command: string): Promise<number> {
  const stats = String(await redis.control.command('INFO', 'commandstats'))
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`)

describe('the storage adapter on Redis', () => {
  it('takes one round trip for a batch', async () => {
    const proxy = await startProxy({ port: redis.port })
    const store = await on({ redis: proxy.url, operationTimeout: 10_000 })
    await store.set('warm', 'up')
    const took = async (batch: Promise<unknown>): Promise<number> => {
      const start = performance.now()
      await batch
      return performance.now() - start
    }
    proxy.delay(100)
    const one = await took(store.get('warm'))
    for (const batch of [
      () => store.setMany(keys.map((key) => ({ key, value: 'x', ttl: 60_000 }))),
      () => store.getMany(keys),
      () => store.hasMany(keys),
      () => store.deleteMany(keys),
    ])
      // As soon as Redis tells of changes, and what a write hangs on needs not be asked for any more.
      await eventually(async () => expect(await took(batch())).toBeLessThan(one * 1.8))
    await proxy.restore()
    await store.disconnect()
    await proxy.close()
  })

  it('asks for many values with one command', async () => {
    const store = await on({ namespace: 'many' })
    const before = await calls('mget')
    await store.getMany(keys)
    await store.hasMany(keys)
    expect((await calls('mget')) - before).toBe(2)
  })

  it('neither looks at a neighbour’s keys nor touches them, and gives memory back, when it clears and iterates', async () => {
    const [mine, other] = [await on({ namespace: 'mine' }), await on({ namespace: 'mine:' })]
    await redis.control.command('DEBUG', 'POPULATE', '20000', 'neighbour')
    await redis.control.command('SET', 'mine:key 1', 'foreign')
    await mine.setMany(keys.map((key) => ({ key, value: 'x' })))
    await other.setMany(keys.map((key) => ({ key, value: 'y' })))
    const size = (await redis.control.command('DBSIZE')) as number

    expect(await entriesOf(mine.iterator())).toEqual(new Map(keys.map((key) => [key, 'x'])))
    await mine.clear()

    expect(await calls('scan')).toBe(0)
    expect(await calls('keys')).toBe(0)
    expect(await mine.getMany(keys)).toEqual(keys.map(() => undefined))
    expect(await other.getMany(keys)).toEqual(keys.map(() => 'y'))
    expect(await redis.control.command('GET', 'mine:key 1')).toBe('foreign')
    // The entries and the index.
    expect(await redis.control.command('DBSIZE')).toBe(size - keys.length - 1)
    expect(await entriesOf(mine.iterator())).toEqual(new Map())
    await redis.control.command('FLUSHALL')
  })

  it('iterates over what is there, whatever the index still names', async () => {
    const store = await on({ namespace: 'evicted' })
    await store.setMany([
      { key: 'gone', value: 1 },
      { key: 'there', value: 2 },
    ])
    await redis.control.command('DEL', 'holdfast:keyv:evicted::gone')
    expect(await entriesOf(store.iterator())).toEqual(new Map([['there', 2]]))
  })

  it('clears what another process set, at once', async () => {
    const [a, b] = [await on({ namespace: 'fleet' }), await on({ namespace: 'fleet' })]
    await a.set('foo', 1)
    expect(await b.get('foo')).toBe(1)
    await b.clear()
    expect(await a.get('foo')).toBeUndefined()
    await a.set('foo', 2)
    expect(await b.get('foo')).toBe(2)
  })

  it('takes a foreign value under its key for none, and overwrites it', async () => {
    const store = await on({ namespace: 'foreign' })
    for (const command of [
      ['SET', '123'],
      ['SET', '{"value":1}'],
      ['RPUSH', 'a'],
    ] as const) {
      const [name, value] = command
      await store.delete('foo')
      await redis.control.command(name, 'holdfast:keyv:foreign::foo', value)
      expect(await store.get('foo')).toBeUndefined()
      expect(await store.getMany(['foo'])).toEqual([undefined])
      expect(await store.set('foo', 'mine')).toBe(true)
      expect(await store.get('foo')).toBe('mine')
    }
  })

  it('keeps values as it is told to: encrypted', async () => {
    const encryption = { keys: ['0123456789abcdef0123456789abcdef'] }
    const store = await on({ namespace: 'secret', encryption, compression: false })
    await store.set('foo', 'plain to see')
    expect(await store.get('foo')).toBe('plain to see')
    expect(await redis.control.command('GET', 'holdfast:keyv:secret::foo')).not.toContain('plain')
    // Another adapter of the same Holdfast, without the keys.
    const { holdfast } = store
    expect(await (await on({ holdfast, redis: undefined, namespace: 'secret' })).get('foo')).toBeUndefined()
  })
})
