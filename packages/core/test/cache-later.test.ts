import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createHoldfast, type Cache } from '../src/index.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

it('makes caches when others hear of changes already, and all of them go on hearing', async () => {
  const holdfast = createHoldfast({ redis: redis.url, logger: false })
  const caches: Cache[] = []
  for (const prefix of ['first:', 'second:', 'third:']) {
    const cache = holdfast.cache({ prefix, near: true })
    await cache.set('key', prefix)
    caches.push(cache)
    await eventually(() => expect(caches.every((made) => made.statistics().near.isOn)).toBe(true))
  }
  expect(await Promise.all(caches.map((cache) => cache.get('key')))).toEqual(['first:', 'second:', 'third:'])
  await holdfast.close()
})
