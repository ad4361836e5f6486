import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createKeyv } from '@keyv/redis'
import * as reference from '@nestjs/cache-manager'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as ours from '../src/index.ts'
import { HOLDFAST_CACHE, type CacheEngine, type CacheModuleOptions } from '../src/index.ts'
import { moduleOf, withContext, withManager, type DropIn, type Manager } from './kit.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const kit = { common, core }
const bytes = Buffer.from([0, 1, 128, 255])

async function withStored<T>(cache: DropIn, use: (manager: Manager) => Promise<T>): Promise<T> {
  const options = { stores: [createKeyv(redis.url)] }
  return withManager({ ...kit, cache, adapter: undefined as never }, options, use)
}

const keptBy = (cache: DropIn, value: unknown): Promise<unknown> =>
  withStored(cache, async (manager) => {
    await manager.set('key', value)
    return manager.get('key')
  })

/** What `wrap` gives for a value that is made, what is told of it, and what is there then. */
const wrappedBy = (cache: DropIn, value: unknown): Promise<object> =>
  withStored(cache, async (manager) => {
    await manager.del('wrapped')
    const heard: unknown[] = []
    manager.on('set', ({ value: stored, error }) => heard.push([stored, error !== undefined]))
    const [made] = await Promise.allSettled([manager.wrap('wrapped', () => value)])
    return {
      made: made.status === 'fulfilled' ? made.value : 'an error',
      heard,
      there: await manager.get('wrapped'),
    }
  })

async function withOurs<T>(
  use: (manager: Manager, engine: CacheEngine) => Promise<T>,
  options: CacheModuleOptions = {},
): Promise<T> {
  const imports = [ours.CacheModule.register({ redis: redis.url, logger: false, ...options })]
  return withContext(kit, moduleOf(kit, { imports }), (context) =>
    use(context.get<Manager>(ours.CACHE_MANAGER), context.get<CacheEngine>(HOLDFAST_CACHE)),
  )
}

describe('a value', () => {
  const values: [name: string, value: unknown][] = [
    ['a Buffer', bytes],
    ['a Buffer in an object', { type: 'image/png', body: bytes }],
    ['Buffers in lists', [[bytes], { a: [bytes, Buffer.alloc(0)] }]],
    ['a Buffer beside text that looks like one', { a: bytes, b: ':base64:AQ==', c: ':', ':d': '::e' }],
    ['text that looks like one', { b: ':base64:AQ==', c: ':' }],
    ['a Buffer in what a toJSON gives', { toJSON: () => ({ a: bytes }) }],
    ['a Buffer beside a Date', { at: new Date(0), bytes }],
    ['a Buffer beside what JSON drops', { a: bytes, b: undefined, c: Number.NaN }],
    ['a Buffer beside a Map', { a: bytes, b: new Map([[1, 2]]) }],
    ['a Date', { at: new Date(0) }],
    ['what a Buffer is in JSON', { type: 'Buffer', data: [1, 2] }],
  ]
  it.each(values)('is kept as by @nestjs/cache-manager on @keyv/redis: %s', async (_name, value) => {
    const theirs = await keptBy(reference, value)
    expect(await keptBy(ours as unknown as DropIn, value)).toStrictEqual(theirs)
  })

  it.each([
    ['NaN', Number.NaN],
    ['null', null],
    ['-0', -0],
    ['text', ':text'],
    ['an object', { a: 1 }],
    ['what cannot be stored', 5n],
  ])('is made and told of as by @nestjs/cache-manager on @keyv/redis: %s', async (_name, value) => {
    const theirs = await wrappedBy(reference, value)
    expect(await wrappedBy(ours as unknown as DropIn, value)).toStrictEqual(theirs)
  })

  it('with Buffers goes through wrap, its ttl function and a near cache', () =>
    withOurs(
      async (manager) => {
        const made = { at: new Date(0), body: bytes }
        const lives: unknown[] = []
        const ttlOf = (value: typeof made): number => {
          lives.push(value)
          return 60_000
        }
        const wrap = () => manager.wrap('near', async () => made, ttlOf)
        const together = await Promise.all([wrap(), wrap()])
        for (const one of together) expect(one.body).toStrictEqual(bytes)
        expect(lives[0]).toMatchObject({ body: bytes })
        const first = await manager.get<typeof made>('near')
        first!.body[0] = 7
        expect(await manager.get('near')).toStrictEqual({ at: made.at.toJSON(), body: bytes })
      },
      { near: true },
    ))

  it('is given to who makes it and who waits for it as it was made', () =>
    withOurs(async (manager) => {
      const made = { at: new Date(0), body: bytes }
      const wrap = () => manager.wrap('made', async () => made)
      expect(await Promise.all([wrap(), wrap()])).toStrictEqual([made, made])
    }))

  it('without Buffers within is the same to the engine, and so is what the engine keeps', () =>
    withOurs(async (manager, engine) => {
      await manager.set('plain', { a: [1, ':text'] })
      expect(await engine.get('plain')).toEqual({ a: [1, ':text'] })
      await engine.set('plain', { body: bytes })
      expect(await manager.get('plain')).toEqual({ body: bytes.toJSON() })
    }))

  it('that looks like one with Buffers comes back as it was', () =>
    withOurs(async (manager, engine) => {
      await manager.set('packed', { body: bytes })
      const packed = await engine.get('packed')
      await manager.set('again', packed)
      expect(await manager.get('again')).toEqual(packed)
    }))

  it('with Buffers and an own __proto__ loses that, as any does', () =>
    withOurs(async (manager) => {
      await manager.set('proto', { ...JSON.parse('{"__proto__":{"isAdmin":true}}'), body: bytes })
      const value = await manager.get<object>('proto')
      expect(Object.keys(value!)).toEqual(['body'])
    }))

  const cycle: unknown[] = [bytes]
  cycle.unshift(cycle, cycle)
  it.each([
    ['that refers to itself', cycle],
    ['of a BigInt', { a: 5n, body: bytes }],
    ['whose toJSON throws', { body: bytes, a: { toJSON: () => (undefined as never as { a: 1 }).a } }],
  ])('%s rejects as without Buffers', (_name, value) =>
    withOurs(async (manager) => {
      await expect(manager.set('wrong', value)).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_NOT_SERIALISABLE',
      })
    }),
  )
})

describe('a key', () => {
  it('that is a number is its text', () =>
    withOurs(async (manager) => {
      const key = 5 as never as string
      await manager.set(key, 'five')
      expect([await manager.get(key), await manager.get('5'), await manager.wrap(key, () => 'made')]).toEqual(
        ['five', 'five', 'five'],
      )
      await manager.mset([{ key, value: 'more' }])
      expect(await manager.mget([key])).toEqual(['more'])
      expect(await manager.stores[0]!.has(key)).toBe(true)
      await manager.mdel([key])
      expect(await manager.get(key)).toBeUndefined()
    }))

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['an object', {}],
  ])('that many would share is refused: %s', (_name, key) =>
    withOurs(async (manager) => {
      const refused = { code: 'ERR_HOLDFAST_KEY' }
      await expect(manager.get(key as never)).rejects.toMatchObject(refused)
      await expect(manager.set(key as never, 1)).rejects.toMatchObject(refused)
    }),
  )
})

describe('a ttl', () => {
  it.each([
    [
      'an object',
      { ttl: 1_000 },
      'Option "ttl" must be a number of milliseconds, or text such as "5m"; got an object.',
    ],
    ['a promise', Promise.resolve(1_000), 'got an object'],
    ['a boolean', true, 'got true'],
    ['other text', '5 minutes', 'got "5 minutes"'],
  ])('that is none is refused, with what was given: %s', (_name, ttl, message) =>
    withOurs(async (manager) => {
      await expect(manager.set('key', 1, ttl as never)).rejects.toThrow(message)
      await expect(manager.stores[0]!.set('key', 1, ttl as never)).rejects.toThrow(message)
      const asked = manager.wrap(
        'wrapped',
        () => 1,
        () => ttl as never,
      )
      await expect(asked).rejects.toThrow(message)
    }),
  )
})
