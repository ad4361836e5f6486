import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createCache } from 'cache-manager'
import { Cacheable } from 'cacheable'
import got from 'got'
import type { Keyv } from 'keyv'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyv, KeyvHoldfast } from '../src/index.ts'

let redis: RedisServer
const open: { disconnect(): Promise<unknown> }[] = []
beforeEach(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.disconnect()))
  await redis.stop()
})

function keyv(namespace?: string): Keyv {
  const made = createKeyv({ redis: redis.url, namespace, logger: false })
  open.push(made)
  return made
}

const holdfastOf = (made: Keyv): KeyvHoldfast['holdfast'] => (made.store as KeyvHoldfast).holdfast

describe('cache-manager 7', () => {
  it('keeps, wraps, lists and clears', async () => {
    const cache = createCache({ stores: [keyv('cm')] })
    let made = 0
    const make = async (): Promise<{ n: number }> => ({ n: ++made })
    expect(await cache.wrap('one', make, 60_000)).toEqual({ n: 1 })
    expect(await cache.wrap('one', make, 60_000)).toEqual({ n: 1 })
    await cache.mset([
      { key: 'a', value: 1, ttl: 60_000 },
      { key: 'b', value: 2 },
    ])
    expect(await cache.mget(['a', 'b', 'c'])).toEqual([1, 2, undefined])
    const ttl = (await cache.ttl('a'))! - Date.now()
    expect(ttl).toBeGreaterThan(50_000)
    expect(ttl).toBeLessThanOrEqual(60_000)
    await cache.del('a')
    expect(await cache.get('a')).toBeUndefined()
    await cache.mdel(['b'])
    expect(await cache.get('b')).toBeUndefined()
    await cache.clear()
    expect(await cache.wrap('one', make)).toEqual({ n: 2 })
  })

  it('is served by its factory while Redis is away, and by Redis after that', async () => {
    const store = keyv()
    const cache = createCache({ stores: [store] })
    let made = 0
    const make = (): number => ++made
    await cache.wrap('one', make, 60_000)
    redis.freeze()
    for (let n = 2; n < 5; n++) expect(await cache.wrap('one', make, 60_000)).toBe(n)
    redis.thaw()
    await eventually(async () => {
      const before = made
      await cache.wrap('one', make, 60_000)
      expect(made).toBe(before)
    })
  })
})

describe('cacheable 2', () => {
  it('has it as the second layer, with expiries as they were meant', async () => {
    const secondary = keyv('cacheable')
    const cache = new Cacheable({ secondary })
    open.push(cache)
    expect(await cache.set('a', { n: 1 }, '1m')).toBe(true)
    await cache.setMany([{ key: 'b', value: 2, ttl: 60_000 }])
    const elsewhere = new Cacheable({ secondary: keyv('cacheable') })
    open.push(elsewhere)
    expect(await elsewhere.getMany(['a', 'b', 'c'])).toEqual([{ n: 1 }, 2, undefined])
    const left = await redis.control.command('PTTL', 'holdfast:keyv:cacheable::a')
    expect(left).toBeGreaterThan(50_000)
    expect(await cache.has('a')).toBe(true)
    expect(await cache.delete('a')).toBe(true)
    expect(await keyv('cacheable').get('a')).toBeUndefined()
    await cache.clear()
    expect(await keyv('cacheable').get('b')).toBeUndefined()
  })

  it('takes the adapter itself', async () => {
    const store = new KeyvHoldfast({ redis: redis.url, logger: false })
    const cache = new Cacheable({ secondary: store, namespace: 'own' })
    open.push(cache)
    await cache.set('a', 1)
    expect(await cache.secondary!.get('a')).toBe(1)
  })

  it('is served by its factory while Redis is away', async () => {
    const secondary = keyv()
    const errors: unknown[] = []
    const cache = new Cacheable({ secondary })
    cache.on('error', (error: unknown) => void errors.push(error))
    await holdfastOf(secondary).ready()
    await redis.kill()
    expect(await cache.getOrSet('a', async () => 'made')).toBe('made')
    expect(await cache.get('a')).toBe('made')
    expect(errors).toEqual([])
  })
})

describe('got', () => {
  let origin: Server
  let asked = 0
  beforeEach(async () => {
    asked = 0
    origin = createServer((_req, res) => {
      asked++
      res.setHeader('Cache-Control', 'max-age=60')
      res.end(`answer ${asked}`)
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => origin.close(resolve)))

  it.each([
    ['the adapter', () => new KeyvHoldfast({ redis: redis.url, logger: false })],
    ['a Keyv', () => keyv('got')],
  ])('caches answers in %s, and asks the origin while Redis is away', async (_what, make) => {
    const cache = make()
    open.push(cache)
    const { port } = origin.address() as AddressInfo
    const ask = (): Promise<string> => got(`http://127.0.0.1:${port}/`, { cache }).text()
    await ask()
    // It is stored while the answer is handed out already.
    await eventually(async () => {
      const before = asked
      await ask()
      expect(asked).toBe(before)
    })
    redis.freeze()
    const before = asked
    expect(await ask()).toBe(`answer ${before + 1}`)
    expect(await ask()).toBe(`answer ${before + 2}`)
    redis.thaw()
    await eventually(async () => {
      const before = asked
      await ask()
      expect(asked).toBe(before)
    })
  })
})
