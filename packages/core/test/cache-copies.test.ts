import { eventually } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Cache } from '../src/index.ts'
import { degraded, fleetOfTests, healthy, type Process } from './cache-fleet.ts'

const { redis, prefix, start } = fleetOfTests()
const grace = '1h'
const down = (): never => {
  throw new Error('down')
}

/** What a process gives of a key while Redis and what is behind the cache are both away. */
async function givenInOutage({ cache, holdfast, proxy }: Process, key: string): Promise<unknown> {
  await proxy.refuse()
  await degraded({ cache, holdfast, proxy })
  return cache.getOrSet<unknown>(key, down).catch(() => cache.get(key))
}

describe('a copy in its grace', () => {
  it('is given where nothing later was seen', async () => {
    const a = await start({ grace })
    await a.cache.set('key', 'old')
    expect(await givenInOutage(a, 'key')).toBe('old')
  })

  it.each<[what: string, see: (a: Cache, b: Cache) => Promise<unknown>]>([
    ['removed, by get', async (a, b) => [await a.delete('key'), await b.get('key')]],
    ['removed, by has', async (a, b) => [await a.delete('key'), await b.has('key')]],
    ['removed, among many', async (a, b) => [await a.delete('key'), await b.getMany(['key'])]],
    ['made without a grace', async (a, b) => [await a.set('key', 'new', { grace: 0 }), await b.get('key')]],
    [
      'removed, and made here without a grace',
      async (a, b) => [await a.delete('key'), await b.getOrSet('key', () => 'new', { grace: 0 })],
    ],
    [
      'removed, and made here of nothing',
      async (a, b) => [await a.delete('key'), await b.getOrSet('key', () => undefined)],
    ],
  ])('is gone once the entry was seen to be %s', async (_, see) => {
    const [a, b] = [await start({ grace }), await start({ grace })]
    await a.cache.set('key', 'old')
    expect(await b.cache.get('key')).toBe('old')
    await see(a.cache, b.cache)
    expect(await givenInOutage(b, 'key')).not.toBe('old')
  })

  it.each([{}, { near: true }, { rule: 'memory' as const }])(
    'is gone with the end of an outage, as another process may have removed the entry in it (%o)',
    async (options) => {
      const [a, b] = [await start({ grace, ...options }), await start({ grace, ...options })]
      await a.cache.set('key', 'old')
      expect(await b.cache.get('key')).toBe('old')
      await Promise.all([a.proxy.refuse(), b.proxy.refuse()])
      await Promise.all([degraded(a), degraded(b)])
      await a.cache.delete('key')
      await Promise.all([a.proxy.restore(), b.proxy.restore()])
      await Promise.all([healthy(a), healthy(b)])
      expect(await givenInOutage(b, 'key')).toBeUndefined()
    },
  )

  it.each<[what: string, change: (a: Cache, b: Cache) => Promise<unknown>]>([
    ['Redis was emptied', () => redis().control.command('FLUSHALL')],
    [
      'a change may have gone unheard',
      async (a, b) => {
        await redis().control.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
        await a.delete('key')
        await eventually(() => expect(b.statistics().near.isOn).toBe(true))
      },
    ],
  ])('is gone in a near cache where %s', async (_, change) => {
    const [a, b] = [await start({ grace, near: true }), await start({ grace, near: true })]
    await a.cache.set('key', 'old')
    await eventually(async () => expect(await b.cache.get('key')).toBe('old'))
    await change(a.cache, b.cache)
    await pause(50)
    expect(await givenInOutage(b, 'key')).toBeUndefined()
  })

  it('is what a factory made last, also while Redis is away', async () => {
    const a = await start({ grace })
    for (const key of ['made', 'nothing']) await a.cache.set(key, 'old')
    await a.proxy.refuse()
    await degraded(a)
    expect(await a.cache.getOrSet('made', () => 'new')).toBe('new')
    expect(await a.cache.getOrSet('made', down)).toBe('new')
    expect(await a.cache.get('made')).toBe('new')
    expect(await a.cache.getOrSet('nothing', () => undefined)).toBeUndefined()
    expect(await a.cache.get('nothing')).toBeUndefined()
  })
})

describe('what a factory gives that is not stored', () => {
  it.each<[what: string, give: (cache: Cache) => Promise<unknown>]>([
    ['undefined', (cache) => cache.getOrSet('key', () => undefined)],
    ['undefined, without a lease', (cache) => cache.getOrSet('key', () => undefined, { lease: false })],
    ['a ttl of nothing', (cache) => cache.getOrSet('key', () => 'new', { ttl: () => 0 })],
  ])('ends what was there in its grace: %s', async (_, give) => {
    const [a, b] = [await start({ grace, ttl: 50 }), await start({ grace, ttl: 50 })]
    await a.cache.set('key', 'old')
    await pause(60)
    expect(await give(a.cache)).not.toBe('old')
    await pause(5)
    for (const { cache } of [a, b]) expect(await cache.get('key')).toBeUndefined()
    expect(await b.cache.getOrSet('key', () => 'later')).toBe('later')
    expect(await givenInOutage(a, 'key')).toBeUndefined()
  })

  it('ends what was refreshed ahead of its end', async () => {
    const { cache } = await start({ grace })
    await cache.set('key', 'old', { ttl: '1m' })
    expect(await cache.getOrSet('key', () => undefined, { eager: 0 })).toBe('old')
    await eventually(async () => expect(await cache.get('key')).toBeUndefined())
  })
})

it('does not count what was there when an idle connection was closed: for others that may have been an outage', async () => {
  const { cache, holdfast, proxy } = await start({ quarantine: 500 })
  await cache.set('key', 'old')
  await pause(1_100)
  proxy.fin()
  await pause(50)
  await eventually(async () => expect(await cache.get('key')).toBeUndefined())
  expect(holdfast.health().counts.outages).toBe(0)
  await pause(600)
  expect(await cache.get('key')).toBe('old')
})

describe('a version that Redis evicts', () => {
  it.each<[what: string, version: string, invalidate: (cache: Cache) => Promise<boolean>]>([
    ['a tag', ':tag', (cache) => cache.deleteByTag('tag')],
    ['the generation', '*', (cache) => cache.clear()],
  ])('brings nothing back that was invalidated by %s', async (_, version, invalidate) => {
    const [a, b] = [await start(), await start()]
    await a.cache.set('key', 'old', { tags: ['tag'] })
    expect(await b.cache.get('key')).toBe('old')
    expect(await invalidate(a.cache)).toBe(true)
    expect(await redis().control.command('DEL', `holdfast:tag:${prefix()}${version}`)).toBe(1)
    await pause(50)
    for (const { cache } of [b, a, b]) expect(await cache.get('key')).toBeUndefined()
  })
})

it('counts what a value near at hand takes, and not what it takes compressed', async () => {
  const { cache } = await start({ near: { maxBytes: '1MB' } })
  const value = Array.from({ length: 5_000 }, (_, id) => ({ id, name: 'the same name' }))
  await cache.set('key', value)
  await cache.get('key')
  await eventually(async () => {
    await cache.get('key')
    expect(cache.statistics().near.bytes).toBeGreaterThan(JSON.stringify(value).length)
  })
})
