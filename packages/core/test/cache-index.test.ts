import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createHoldfast, type Cache } from '../src/index.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

it('takes a key out of the index of an indexed cache with its entry', async () => {
  const holdfast = createHoldfast({ redis: redis.url, logger: false })
  const cache: Cache = holdfast.cache({ prefix: 'listed:', indexed: true })
  await cache.setMany([
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
    { key: 'c', value: 3 },
  ])
  expect(await cache.delete('a')).toBe(true)
  expect(await cache.deleteMany(['b', 'b'])).toEqual([true, false])
  expect(await redis.control.command('ZRANGE', 'holdfast:index:listed:', '0', '-1')).toEqual(['listed:c'])
  const listed: string[] = []
  for await (const keys of cache.keys()) listed.push(...keys)
  expect(listed).toEqual(['c'])
  await holdfast.close()
})
