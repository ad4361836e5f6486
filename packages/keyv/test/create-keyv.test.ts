import { createHoldfast } from '@holdfast/core'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { entriesOf } from './grounds.ts'
import type { createKeyv as CreateKeyv, KeyvHoldfast } from '../src/index.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(() => vi.unstubAllEnvs())

/** `createKeyv` where this is the Keyv that is installed. */
async function installed(Keyv: unknown): Promise<typeof CreateKeyv> {
  vi.resetModules()
  vi.doMock('keyv', () => ({ Keyv }))
  const { createKeyv } = await import('../src/index.ts')
  vi.doUnmock('keyv')
  return createKeyv
}

describe.each([
  ['Keyv 5', Keyv5],
  ['Keyv 6', Keyv6],
])('createKeyv with %s', (_name, Keyv) => {
  it('gives a Keyv of the one that is installed', async () => {
    const keyv = (await installed(Keyv))({ redis: redis.url, logger: false })
    expect(keyv).toBeInstanceOf(Keyv)
    expect(keyv.namespace).toBeUndefined()
    expect(await keyv.set('foo', 'bar')).toBe(true)
    expect(await keyv.get('foo')).toBe('bar')
    expect(await redis.control.command('EXISTS', 'holdfast:keyv:::foo')).toBe(1)
    await keyv.disconnect()
  })

  it('takes a URL as the official adapters do, and a namespace', async () => {
    const createKeyv = await installed(Keyv)
    const keyv = createKeyv(redis.url, { namespace: 'shop', logger: false })
    const other = createKeyv(redis.url, { logger: false })
    expect(keyv.namespace).toBe('shop')
    await keyv.set('foo', 'shop')
    await other.set('foo', 'none')
    expect(await redis.control.command('EXISTS', 'holdfast:keyv:shop::foo')).toBe(1)
    await keyv.clear()
    expect(await keyv.get('foo')).toBeUndefined()
    expect(await other.get('foo')).toBe('none')
    await Promise.all([keyv.disconnect(), other.disconnect()])
  })

  it('finds Redis in REDIS_URL', async () => {
    vi.stubEnv('REDIS_URL', redis.url)
    const keyv = (await installed(Keyv))({ namespace: 'env', logger: false })
    await keyv.set('foo', 'bar')
    expect(await redis.control.command('EXISTS', 'holdfast:keyv:env::foo')).toBe(1)
    await keyv.disconnect()
  })

  it('keeps a namespaced key apart from one that looks like it', async () => {
    const keyv = (await installed(Keyv))({ redis: redis.url, namespace: 'a', logger: false })
    await keyv.set('x', 1)
    await keyv.set('a:x', 2)
    expect([await keyv.get('x'), await keyv.get('a:x')]).toEqual([1, 2])
    expect(await entriesOf(keyv.iterator!(undefined))).toEqual(
      new Map([
        ['x', 1],
        ['a:x', 2],
      ]),
    )
    await keyv.disconnect()
  })

  it('lets go of a Holdfast of its own, and of no other', async () => {
    const createKeyv = await installed(Keyv)
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    const shared = createKeyv({ holdfast, namespace: 'shared' })
    expect(await shared.set('foo', 1)).toBe(true)
    await shared.disconnect()
    expect(await shared.get('foo')).toBe(1)
    await holdfast.close()

    const own = createKeyv({ redis: redis.url, namespace: 'shared', logger: false })
    expect(await own.get('foo')).toBe(1)
    await own.disconnect()
    expect(await own.get('foo')).toBeUndefined()
    expect(await own.set('foo', 2)).toBe(false)
  })

  it('says which option is wrong', async () => {
    const createKeyv = await installed(Keyv)
    expect(() => createKeyv({ redis: 'http://localhost' })).toThrow(/redis/)
    expect(() => createKeyv({ redis: 'memory', prefix: 'a b' })).toThrow(/prefix/)
  })
})

it('stores the same under Keyv 5 and Keyv 6, so that an upgrade finds its cache warm', async () => {
  const five = (await installed(Keyv5))({ redis: redis.url, namespace: 'warm', logger: false })
  const values = { text: 'a', object: { a: [1] }, buffer: Buffer.from('x'), colon: ':x' }
  for (const [key, value] of Object.entries(values)) await five.set(key, value, 60_000)
  const six = (await installed(Keyv6))({ redis: redis.url, namespace: 'warm', logger: false })
  for (const [key, value] of Object.entries(values)) expect(await six.get(key)).toEqual(value)
  await Promise.all([five.disconnect(), six.disconnect()])
})

it('has the adapter for those who make the Keyv themselves', async () => {
  const createKeyv = await installed(Keyv5)
  const keyv = createKeyv({ redis: 'memory' })
  expect((keyv.store as KeyvHoldfast).holdfast.health().backend).toBe('memory')
  await keyv.disconnect()
})

it('needs no Keyv where only the adapter is used', async () => {
  vi.resetModules()
  vi.doMock('keyv', () => {
    throw new Error('Keyv is not installed')
  })
  const { KeyvHoldfast: Alone } = await import('../src/store.ts')
  const store = new Alone({ redis: 'memory' })
  expect(await store.set('foo', 'bar')).toBe(true)
  await expect(import('../src/index.ts')).rejects.toThrow()
  vi.doUnmock('keyv')
})
