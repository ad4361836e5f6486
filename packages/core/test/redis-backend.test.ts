import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { versionOf } from '../src/backend/backend.ts'
import { redisBackendFrom, type RedisSource } from '../src/backend/redis/connect.ts'
import type { RedisBackend } from '../src/backend/redis/redis.ts'
import { isReady, text, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(async () => void (await redis.control.command('FLUSHALL')))

/** Each way to name the same Redis. */
const sources: Record<string, () => RedisSource | Promise<RedisSource>> = {
  'a URL': () => redis.url,
  'ioredis options': () => ({ host: '127.0.0.1', port: redis.port, db: 3 }),
  'ioredis options with a keyPrefix': () => ({ host: '127.0.0.1', port: redis.port, keyPrefix: 'app*:' }),
  'an ioredis client': () => {
    const client = new Redis(redis.port)
    onTestFinished(() => client.disconnect())
    return client
  },
  'a lazy ioredis client': () => new Redis({ port: redis.port, lazyConnect: true, keyPrefix: 'lazy:' }),
  'a node-redis client': async () => {
    const client = createClient({ url: `${redis.url}/2` })
    await client.connect()
    onTestFinished(() => client.destroy())
    return client
  },
  'a node-redis client that is not connected': () => createClient({ url: redis.url, keyPrefix: 'nr:' }),
}

describe.each(Object.keys(sources))('the Redis backend from %s', (name) => {
  async function connected(): Promise<RedisBackend> {
    const backend = redisBackendFrom(await sources[name]!())
    onTestFinished(() => backend.close())
    await isReady(backend)
    return backend
  }

  it('stores bytes as they are and gives them back', async () => {
    const backend = await connected()
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    expect(await backend.set('k', bytes)).toEqual({ written: true })
    expect(await backend.get('k')).toEqual(bytes)
    expect(await backend.getBound('k')).toEqual(bytes)
    expect(await backend.get('absent')).toBeUndefined()
    expect(await backend.getBound('absent')).toBeUndefined()
  })

  it('tells empty bytes from none', async () => {
    const backend = await connected()
    await backend.set('k', Buffer.alloc(0))
    expect(await backend.get('k')).toEqual(Buffer.alloc(0))
    expect(await backend.getBound('k')).toEqual(Buffer.alloc(0))
  })

  it('takes a view into a larger array for what it shows', async () => {
    const backend = await connected()
    await backend.set('k', new Uint8Array([1, 2, 3, 4]).subarray(1, 3))
    expect(await backend.get('k')).toEqual(Buffer.from([2, 3]))
  })

  it('gives many in order, and asks nothing for none', async () => {
    const backend = await connected()
    await backend.set('a', text('1'))
    await backend.set('c', text('3'))
    expect(await backend.getMany(['c', 'b', 'a'])).toEqual([text('3'), undefined, text('1')])
    expect(await backend.getMany([])).toEqual([])
  })

  it('stores only where there is nothing, and else shows what is', async () => {
    const backend = await connected()
    expect(await backend.set('k', text('1'), { ifAbsent: true, ttl: 60_000 })).toEqual({ written: true })
    const again = await backend.set('k', text('2'), { ifAbsent: true })
    expect(again).toEqual({ written: false, current: text('1') })
    expect(await backend.get('k')).toEqual(text('1'))
  })

  it('stores only over the version it was told', async () => {
    const backend = await connected()
    await backend.set('k', text('1'))
    expect(await backend.set('k', text('2'), { ifVersion: versionOf(text('1')) })).toEqual({ written: true })
    const late = await backend.set('k', text('3'), { ifVersion: versionOf(text('1')) })
    expect(late).toEqual({ written: false, current: text('2') })
    const gone = await backend.set('absent', text('3'), { ifVersion: versionOf(text('1')) })
    expect(gone).toEqual({ written: false, current: undefined })
    expect(await backend.get('absent')).toBeUndefined()
  })

  it('lets entries expire, counts a fraction of a millisecond as one, and touches', async () => {
    const backend = await connected()
    await backend.set('k', text('1'), { ttl: 0.2 })
    await backend.set('touched', text('1'), { ttl: 150 })
    expect(await backend.touch('touched', 60_000.5)).toBe(true)
    expect(await backend.touch('absent', 60_000)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await backend.getMany(['k', 'touched'])).toEqual([undefined, text('1')])
  })

  it.each([0, -1, NaN, Infinity])('refuses a ttl of %s', async (ttl) => {
    const backend = await connected()
    await expect(backend.set('k', text('1'), { ttl })).rejects.toMatchObject({ code: 'ERR_HOLDFAST_OPTION' })
    await expect(backend.touch('k', ttl)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_OPTION' })
  })

  it('deletes, and tells whether there was something', async () => {
    const backend = await connected()
    await backend.set('k', text('1'))
    expect(await backend.delete('k')).toBe(true)
    expect(await backend.delete('k')).toBe(false)
  })

  it('rejects a read of something that is not bytes, and replaces it where only nothing may stand', async () => {
    const backend = await connected()
    await backend.set('k', text('1'))
    const [key] = (await redis.control.command('EVAL', listAll, '0')) as [string, string]
    for (const read of [backend.get('k'), backend.getBound('k')]) {
      await expect(read).rejects.toThrow(/^WRONGTYPE/)
    }
    expect(key).toContain('k')
    expect(await backend.set('k', text('2'), { ifVersion: versionOf(text('1')) })).toEqual({
      written: false,
      current: undefined,
    })
    expect(await backend.set('k', text('2'), { ifAbsent: true })).toEqual({ written: true })
    expect(await backend.get('k')).toEqual(text('2'))
  })

  it('scans for a plain-text prefix only', async () => {
    const backend = await connected()
    const mine = Array.from({ length: 2_500 }, (_, index) => `p*[x]?:${index}`)
    await Promise.all([...mine, 'p-x--:1', 'other'].map((key) => backend.set(key, text('1'))))
    const found = new Set<string>()
    for await (const keys of backend.scan('p*[x]?:')) for (const key of keys) found.add(key)
    expect(found).toEqual(new Set(mine))
  })

  it('carries messages to those who listen', async () => {
    const backend = await connected()
    const heard: string[] = []
    const first = await backend.subscribe('channel', (message) => heard.push(`1 ${String(message)}`))
    const second = await backend.subscribe('channel', (message) => heard.push(`2 ${String(message)}`))
    await backend.publish('channel', text('a'))
    await expect.poll(() => heard.toSorted()).toEqual(['1 a', '2 a'])
    await first.close()
    await backend.publish('channel', text('b'))
    await expect.poll(() => heard).toContain('2 b')
    await second.close()
    await backend.publish('channel', text('c'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heard).toHaveLength(3)
  })

  it('answers a ping, and rejects once it is closed', async () => {
    const backend = await connected()
    await backend.ping()
    await backend.close()
    await backend.close()
    await expect(backend.get('k')).rejects.toThrow()
    await expect(backend.subscribe('channel', () => undefined)).rejects.toThrow()
  })

  it('keeps session ids and values out of errors', async () => {
    const backend = await connected()
    await redis.control.command('ACL', 'SETUSER', 'default', '-set')
    onTestFinished(async () => void (await redis.control.command('ACL', 'SETUSER', 'default', '+@all')))
    const error: unknown = await backend.set('sess:secret', text('hidden')).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(Error)
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error as object))).not.toMatch(/secret|hidden/)
  })

  it('goes on with its scripts after Redis forgot them', async () => {
    const backend = await connected()
    await backend.set('k', text('1'), { ifAbsent: true })
    await redis.control.command('SCRIPT', 'FLUSH')
    expect(await backend.getBound('k')).toEqual(text('1'))
    expect(await backend.getBound('k')).toEqual(text('1'))
  })
})

/** Turns the only key into a list, whatever its prefix and database; gives its name. */
const listAll = `
for db = 0, 3 do
  redis.call('SELECT', db)
  local key = redis.call('KEYS', '*')[1]
  if key then
    redis.call('DEL', key)
    redis.call('RPUSH', key, 'x')
    return {key, ''}
  end
end`

describe('redisBackendFrom', () => {
  it.each([
    [undefined],
    [5],
    [[]],
    [new Map()],
    [{ socket: {} }],
    [{ url: 'redis://scott:tiger@h' }],
    [{ port: 0 }],
  ])('refuses %o and holds no credential', (source) => {
    const build = (): unknown => redisBackendFrom(source as RedisSource)
    expect(build).toThrow(/^Option "redis/)
    expect(build).not.toThrow(/tiger/)
  })

  it('names the variable a URL came from', () => {
    expect(() => redisBackendFrom('redis://h/x', { option: 'REDIS_URL' })).toThrow('"REDIS_URL"')
  })
})
