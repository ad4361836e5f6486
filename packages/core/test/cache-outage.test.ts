import { eventually, startProxy } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import { createHoldfast, type Backend, type Cache } from '../src/index.ts'
import { degraded, fleetOfTests, healthy } from './cache-fleet.ts'

const { redis, prefix, start: setUp } = fleetOfTests()

const bothNear = [[{}], [{ near: true }]] as const

describe.each(bothNear)('caches of two processes (%o)', (options) => {
  it('see what the other does', async () => {
    const [a, b] = await Promise.all([setUp(options), setUp(options)])
    await a.cache.set('key', { n: 1 }, { tags: ['tag'] })
    for (const change of [
      () => a.cache.set('key', { n: 2 }, { tags: ['tag'] }),
      () => a.cache.deleteByTag('tag'),
      () => a.cache.set('key', { n: 3 }),
      () => a.cache.expire('key'),
      () => a.cache.set('key', { n: 4 }),
      () => a.cache.delete('key'),
      () => a.cache.set('key', { n: 5 }),
      () => a.cache.clear(),
    ]) {
      // Twice, so that it is near where there is such a cache.
      await b.cache.get('key')
      await b.cache.get('key')
      await change()
      const now = await a.cache.get('key')
      await eventually(async () => expect(await b.cache.get('key')).toEqual(now))
    }
  })

  it('run one factory for all', async () => {
    const fleet = await Promise.all([setUp(options), setUp(options), setUp(options), setUp(options)])
    let calls = 0
    const factory = async (): Promise<{ made: number }> => {
      const made = ++calls
      await pause(50)
      return { made }
    }
    const all = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => fleet[i % 4]!.cache.getOrSet('cold', factory)),
    )
    expect(calls).toBe(1)
    expect(all.every(({ made }) => made === 1)).toBe(true)
  })

  it('take turns where a factory fails', async () => {
    const [a, b] = await Promise.all([setUp(options), setUp(options)])
    const failing = a.cache.getOrSet('key', async () => {
      await pause(50)
      throw new Error('down')
    })
    const caught = failing.catch((error: Error) => error.message)
    await pause(20)
    expect(await b.cache.getOrSet('key', () => 'from b')).toBe('from b')
    expect(await caught).toBe('down')
    expect(await a.cache.get('key')).toBe('from b')
  })

  it('never store what was made before another process removed the entry', async () => {
    const [a, b] = await Promise.all([setUp(options), setUp(options)])
    const begun = Promise.withResolvers<void>()
    const going = Promise.withResolvers<void>()
    const slow = a.cache.getOrSet('key', async () => {
      begun.resolve()
      await going.promise
      return 'from before'
    })
    await begun.promise
    await b.cache.delete('key')
    going.resolve()
    expect(await slow).toBe('from before')
    expect(await b.cache.get('key')).toBeUndefined()
  })

  it.each([
    ['deleted', (cache: Cache) => cache.delete('key')],
    ['updated', (cache: Cache) => cache.set('key', 'new')],
    ['expired', (cache: Cache) => cache.expire('key')],
    ['invalidated by tag', (cache: Cache) => cache.deleteByTag('tag')],
    ['cleared', (cache: Cache) => cache.clear()],
  ])('never serve after an outage what the other %s meanwhile', async (_, change) => {
    const [a, b] = await Promise.all([setUp(options), setUp(options)])
    await a.cache.set('key', 'old', { tags: ['tag'], grace: '1m' })
    await b.cache.get('key')
    expect(await b.cache.get('key')).toBe('old')
    await Promise.all([a.proxy.refuse(), b.proxy.refuse()])
    await Promise.all([degraded(a), degraded(b)])
    expect(await change(a.cache)).toBe(false)
    // B first, so that it could be wrong.
    await b.proxy.restore()
    const seen = new Set<unknown>()
    const watch = async (): Promise<void> => {
      await healthy(b)
      while (a.holdfast.state !== 'healthy') {
        seen.add(await b.cache.get('key'))
        await pause(5)
      }
    }
    const watching = watch()
    await pause(150)
    await a.proxy.restore()
    await watching
    await eventually(async () => expect(['new', undefined]).toContain(await b.cache.get('key')))
    for (let i = 0; i < 50; i++) {
      seen.add(await b.cache.get('key'))
      await pause(2)
    }
    expect(seen).not.toContain('old')
    expect(await b.cache.getOrSet('key', () => 'made')).not.toBe('old')
  })

  it('hear of what was removed while one of them was cut off alone', async () => {
    const [a, b] = await Promise.all([setUp(options), setUp(options)])
    await a.cache.set('key', 'old', { tags: ['tag'] })
    await b.cache.get('key')
    await b.proxy.refuse()
    await degraded(b)
    expect(b.cache.statistics().near.entries).toBe(0)
    await a.cache.deleteByTag('tag')
    await b.proxy.restore()
    await healthy(b)
    for (let i = 0; i < 20; i++) expect(await b.cache.get('key')).toBeUndefined()
  })
})

describe('a cache while Redis is away', () => {
  it('counts the factories that ran before, and turns nobody away once it is back', async () => {
    const { cache, holdfast } = await setUp({ factories: { max: 3, waiting: 20, patience: '4s' } })
    let running = 0
    const gate = Promise.withResolvers<void>()
    const behind = (until: Promise<unknown>) => async () => {
      running++
      await until
      running--
      return 7
    }
    const before = Array.from({ length: 5 }, (_, i) => cache.getOrSet(`before ${i}`, behind(gate.promise)))
    await eventually(() => expect(running).toBe(5))
    await redis().kill({ keepData: true })
    try {
      await eventually(() => expect(holdfast.state).toBe('degraded'))
      const factory = vi.fn<() => Promise<number>>(behind(pause(0)))
      const meanwhile = Array.from({ length: 6 }, (_, i) => cache.getOrSet(`meanwhile ${i}`, factory))
      await pause(100)
      expect(factory).not.toHaveBeenCalled()
      await redis().restart()
      expect(await Promise.all(meanwhile)).toEqual([7, 7, 7, 7, 7, 7])
      expect(running).toBe(5)
    } finally {
      gate.resolve()
      if (!redis().running) await redis().restart()
    }
    expect(await Promise.all(before)).toEqual([7, 7, 7, 7, 7])
  })

  it.each([
    ['killed', () => redis().kill({ keepData: true })],
    ['stopped', () => redis().freeze()],
  ])('runs factories, once per key and so many at once (%s)', async (_, fault) => {
    const { cache, holdfast } = await setUp({ factories: { max: 5, waiting: 20, patience: '5s' } })
    await cache.set('seen', 1)
    await fault()
    let running = 0
    let most = 0
    const factory = async (): Promise<number> => {
      most = Math.max(most, ++running)
      await pause(10)
      running--
      return 7
    }
    try {
      const began = performance.now()
      expect(await cache.getOrSet('seen', factory)).toBe(7)
      expect(performance.now() - began).toBeLessThan(1_500)
      await eventually(() => expect(holdfast.state).toBe('degraded'))
      const same = vi.fn<() => Promise<number>>(factory)
      expect(await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('one', same)))).toEqual(
        Array.from({ length: 100 }, () => 7),
      )
      expect(same).toHaveBeenCalledTimes(1)
      const many = await Promise.allSettled(
        Array.from({ length: 40 }, (__, i) => cache.getOrSet(`many ${i}`, factory)),
      )
      expect(most).toBe(5)
      const refused = many.filter((one) => one.status === 'rejected')
      expect(refused).toHaveLength(15)
      expect(refused[0]!.reason).toMatchObject({ code: 'ERR_HOLDFAST_OVERLOADED', status: 503 })
      expect(cache.statistics().factories.refused).toBe(15)
      expect(await cache.get('seen')).toBeUndefined()
      expect(await cache.getMany(['seen', 'x'])).toEqual([undefined, undefined])
      expect(await cache.set('seen', 2)).toBe(false)
      expect(await cache.delete('other')).toBe(false)
      expect(await cache.has('seen')).toBe(false)
    } finally {
      redis().thaw()
      if (!redis().running) await redis().restart()
    }
    await eventually(() => expect(holdfast.state).toBe('healthy'))
    expect(await cache.get('seen')).toBeUndefined()
    expect(await cache.getOrSet('seen', () => 3)).toBe(3)
    await eventually(async () => expect(await cache.get('seen')).toBe(3))
  })

  it('serves a copy in its grace, unless this process removed or voided it', async () => {
    const a = await setUp({ ttl: '1m', grace: '1h' })
    for (const key of ['kept', 'removed', 'tagged', 'read']) await a.cache.set(key, { key }, { tags: [key] })
    await a.cache.get('read')
    await a.proxy.refuse()
    await degraded(a)
    await a.cache.delete('removed')
    await a.cache.deleteByTag('tagged')
    const down = (): never => {
      throw new Error('down')
    }
    expect(await a.cache.getOrSet('kept', down)).toEqual({ key: 'kept' })
    expect(await a.cache.get('read')).toEqual({ key: 'read' })
    await expect(a.cache.getOrSet('removed', down)).rejects.toThrow('down')
    await expect(a.cache.getOrSet('tagged', down)).rejects.toThrow('down')
    await a.cache.clear()
    await expect(a.cache.getOrSet('kept', down)).rejects.toThrow('down')
  })

  it('goes on from memory under the rule "memory", and brings what it decided to Redis', async () => {
    const a = await setUp({ rule: 'memory' })
    const b = await setUp({ rule: 'memory' })
    await a.cache.set('seen', 'old')
    await a.proxy.refuse()
    await degraded(a)
    expect(await a.cache.get('seen')).toBe('old')
    await a.cache.set('seen', 'new')
    await a.cache.set('fresh', 1)
    expect(await a.cache.getMany(['seen', 'fresh'])).toEqual(['new', 1])
    const factory = vi.fn<() => string>(() => 'made')
    expect([await a.cache.getOrSet('m', factory), await a.cache.getOrSet('m', factory)]).toEqual([
      'made',
      'made',
    ])
    expect(factory).toHaveBeenCalledTimes(1)
    await a.proxy.restore()
    await healthy(a)
    await eventually(async () => expect(await b.cache.getMany(['seen', 'fresh'])).toEqual(['new', 1]))
  })

  it('refuses under the rule "refuse"', async () => {
    const a = await setUp({ rule: 'refuse' })
    await a.proxy.refuse()
    await degraded(a)
    const refused = { code: 'ERR_HOLDFAST_UNAVAILABLE' }
    const factory = vi.fn<() => number>(() => 1)
    await expect(a.cache.get('key')).rejects.toMatchObject(refused)
    await expect(a.cache.set('key', 1)).rejects.toMatchObject(refused)
    await expect(a.cache.delete('key')).rejects.toMatchObject(refused)
    await expect(a.cache.clear()).rejects.toMatchObject(refused)
    await expect(a.cache.getOrSet('key', factory)).rejects.toMatchObject(refused)
    expect(factory).not.toHaveBeenCalled()
  })

  it('voids everything where more was decided than the journal holds', async () => {
    const proxy = await startProxy({ port: redis().port })
    const holdfast = createHoldfast({ redis: proxy.url, logger: false, journal: { maxEntries: 10 } })
    onTestFinished(async () => void (await Promise.all([holdfast.close(), proxy.close()])))
    const cache = holdfast.cache({ prefix: prefix() })
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`)
    await cache.setMany(keys.map((key) => ({ key, value: 'old' })))
    await proxy.refuse()
    await eventually(() => expect(holdfast.state).toBe('degraded'))
    await cache.deleteMany(keys.slice(0, 30))
    await proxy.restore()
    await eventually(() => expect(holdfast.state).toBe('healthy'))
    await pause(800)
    const after = await cache.getMany(keys)
    expect(after.slice(0, 30)).toEqual(Array.from({ length: 30 }))
  })

  it('does not wait for the mark of a factory that an outage interrupted', async () => {
    const [a, b] = await Promise.all([setUp({ quarantine: 0 }), setUp({ quarantine: 0 })])
    const begun = Promise.withResolvers<void>()
    const going = Promise.withResolvers<void>()
    const slow = a.cache.getOrSet('key', async () => {
      begun.resolve()
      await going.promise
      return 1
    })
    await begun.promise
    await a.proxy.refuse()
    await degraded(a)
    going.resolve()
    expect(await slow).toBe(1)
    await a.proxy.restore()
    await healthy(a)
    const began = performance.now()
    expect(await b.cache.getOrSet('key', () => 2)).toBe(2)
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

describe('what is in the way of an entry', () => {
  it.each([
    ['a number', '123'],
    ['null', 'null'],
    ['JSON of another kind', '{"foo":1}'],
    ['bytes', Buffer.from([0xf5, 1, 2, 3])],
    ['bytes of another sort', Buffer.from([1, 2, 3])],
    ['a list', undefined],
  ])('is a miss that is overwritten: %s', async (_, value) => {
    const { cache } = await setUp()
    const key = `${prefix()}key`
    if (value === undefined) await redis().control.command('LPUSH', key, 'x')
    else await redis().control.command('SET', key, value as string)
    expect(await cache.get('key')).toBeUndefined()
    expect(await cache.getMany(['key'])).toEqual([undefined])
    const factory = vi.fn<() => object>(() => ({ made: true }))
    expect(await cache.getOrSet('key', factory)).toEqual({ made: true })
    expect(await cache.getOrSet('key', factory)).toEqual({ made: true })
    expect(factory).toHaveBeenCalledTimes(1)
  })
})

it.each([
  ['a tag', (cache: Cache) => cache.deleteByTag('tag')],
  ['the generation', (cache: Cache) => cache.clear()],
])('serves nothing by a version of %s that Redis did not confirm', async (_, invalidate) => {
  const a = await setUp()
  const real = redisBackendFrom(redis().url)
  let isHanging = false
  const hanging: Backend = Object.assign(Object.create(real) as Backend, {
    get: (key: string) =>
      isHanging && key.includes(':tag:') ? new Promise<undefined>(() => {}) : real.get(key),
  })
  const holdfast = createHoldfast({ backend: hanging, logger: false })
  onTestFinished(() => holdfast.close())
  const cache = holdfast.cache({ prefix: prefix() })
  await holdfast.ready()
  await a.cache.set('key', 'old', { tags: ['tag'] })
  expect(await cache.get('key')).toBe('old')
  expect(await invalidate(a.cache)).toBe(true)
  await pause(50)
  isHanging = true
  expect(await cache.get('key')).toBeUndefined()
  isHanging = false
  expect(await cache.get('key')).toBeUndefined()
})

it('gets over something foreign under the key of its generation', async () => {
  await redis().control.command('SET', `holdfast:tag:${prefix()}*`, 'foreign')
  const { cache } = await setUp()
  await cache.set('key', 1)
  expect(await cache.get('key')).toBe(1)
  expect(await redis().control.command('GET', `holdfast:tag:${prefix()}*`)).not.toEqual(
    Buffer.from('foreign'),
  )
})

describe('a near cache on Redis', () => {
  it('is emptied when changes can no longer be heard, and on again once they can', async () => {
    const { cache, proxy } = await setUp({ near: true })
    await cache.set('key', 1)
    await cache.get('key')
    await eventually(() => expect(cache.statistics().near).toMatchObject({ entries: 1, isOn: true }))
    proxy.reset()
    await eventually(() => expect(cache.statistics().near).toMatchObject({ entries: 0, isOn: false }))
    await eventually(() => expect(cache.statistics().near.isOn).toBe(true))
  })

  it('is off where Redis does not let it hear, and works without', async () => {
    await redis().control.command(
      'ACL',
      'SETUSER',
      'deaf',
      'on',
      '>pw',
      '~*',
      '&*',
      '+@all',
      '-client|tracking',
    )
    const holdfast = createHoldfast({
      redis: `redis://deaf:pw@127.0.0.1:${redis().port}`,
      logger: false,
    })
    onTestFinished(() => holdfast.close())
    const cache = holdfast.cache({ near: true, prefix: prefix() })
    await cache.set('key', 1, { tags: ['a'] })
    expect([await cache.get('key'), await cache.get('key')]).toEqual([1, 1])
    await cache.deleteByTag('a')
    expect(await cache.get('key')).toBeUndefined()
    expect(cache.statistics()).toMatchObject({ hits: { near: 0 }, near: { isOn: false } })
  })

  it('works over node-redis as well', async () => {
    const client = createClient({ url: redis().url })
    client.on('error', () => undefined)
    await client.connect()
    onTestFinished(() => client.destroy())
    const holdfast = createHoldfast({ redis: client as never, logger: false })
    onTestFinished(() => holdfast.close())
    const cache = holdfast.cache({ near: true, prefix: prefix() })
    const other = await setUp()
    await eventually(() => expect(cache.statistics().near.isOn).toBe(true))
    await cache.set('key', 'old')
    await eventually(async () => {
      expect(await cache.get('key')).toBe('old')
      expect(cache.statistics().hits.near).toBeGreaterThan(0)
    })
    await other.cache.set('key', 'new')
    await eventually(async () => expect(await cache.get('key')).toBe('new'))
    await redis().control.command('FLUSHALL')
    await eventually(async () => expect(await cache.get('key')).toBeUndefined())
  })

  it('asks Redis for nothing as long as nothing changes, and one command per read without it', async () => {
    const near = await setUp({ near: true, prefix: `near-${prefix()}` })
    const far = await setUp({ prefix: `far-${prefix()}` })
    for (const { cache } of [near, far]) {
      await cache.set('key', 1)
      await cache.get('key')
    }
    await eventually(async () => {
      await near.cache.get('key')
      await far.cache.get('key')
      const before = await commandsOf()
      for (let i = 0; i < 20; i++) await near.cache.get('key')
      const between = await commandsOf()
      for (let i = 0; i < 20; i++) await far.cache.get('key')
      expect([between - before, (await commandsOf()) - between]).toEqual([0, 20])
    })
  })
})

async function commandsOf(): Promise<number> {
  const info = String(await redis().control.command('INFO', 'commandstats'))
  return ['get', 'mget', 'eval', 'evalsha']
    .map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0))
    .reduce((sum, calls) => sum + calls, 0)
}
