import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conformance, type Bound, type CacheSubject } from '@holdfast/conformance'
import { startRedis } from '@holdfast-internal/test-fixtures'
import { memoryCacheSubject, near, redisCacheSubject } from './real-cache-subjects.ts'

const redis = await startRedis()
const encryption = { keys: [randomBytes(32)] }

const suites = [
  suite(memoryCacheSubject()),
  suite(await redisCacheSubject('Redis', redis)),
  suite(await redisCacheSubject('Redis, near', redis, { options: { near } })),
  suite(
    await redisCacheSubject('Redis by node-redis, near', redis, { options: { near }, isNodeRedis: true }),
    'process',
  ),
  suite(
    await redisCacheSubject('Redis by the rule memory, indexed, encrypted', redis, {
      options: { rule: 'memory', indexed: true, encryption },
    }),
    'process',
  ),
]

function suite(subject: CacheSubject, only = ''): Bound {
  return conformance(subject, { describe, it }, { only })
}

/** A few at a time: with all at once, a busy machine would look like an outage. */
const lanes = 2

beforeAll(() => {
  const waiting = suites.values()
  const runOn = async (): Promise<void> => {
    for (const { start } of waiting) await start()
  }
  for (let lane = 0; lane < lanes; lane++) void runOn()
})
afterAll(() => redis.stop())

describe('a cache over Redis', () => {
  it('claims every promise there is', { timeout: 60_000 }, async () => {
    const [, ...reports] = await Promise.all(suites.map(({ start }) => start()))
    for (const { checks } of reports)
      expect(checks.filter(({ status }) => status === 'not claimed')).toEqual([])
  })
})
