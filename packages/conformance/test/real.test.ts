import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { conformance, enveloped, prefixed } from '@holdfast/conformance'
import { startRedis } from '@holdfast-internal/test-fixtures'
import { frozenRedisSubject, memorySubject, overNodeRedis, redisSubject } from './real-subjects.ts'

const redis = await startRedis()
const frozen = await startRedis()
const key = randomBytes(32)

const subjects = [
  memorySubject(),
  await redisSubject('Redis by ioredis', redis),
  await redisSubject('Redis by node-redis', redis, overNodeRedis),
  await frozenRedisSubject('a Redis that freezes', frozen),
  prefixed(await redisSubject('Redis', redis), 'wrapped*:'),
  enveloped(await redisSubject('Redis', redis), { name: 'compressed', compression: { threshold: 64 } }),
  enveloped(await redisSubject('Redis', redis), { name: 'encrypted', encryption: { keys: [key] } }),
]
const suites = subjects.map((subject) => conformance(subject, { describe, it }))

/** A few at a time: with all at once, a busy machine would look like an outage. */
const lanes = 3

beforeAll(() => {
  const waiting = suites.values()
  const runOn = async (): Promise<void> => {
    for (const suite of waiting) await suite.start()
  }
  for (let lane = 0; lane < lanes; lane++) void runOn()
})
afterAll(() => Promise.all([redis.stop(), frozen.stop()]))

describe('Redis, however it is reached and wrapped', () => {
  it('claims every promise there is', { timeout: 60_000 }, async () => {
    const [, ...reports] = await Promise.all(suites.map((suite) => suite.start()))
    for (const { checks } of reports)
      expect(checks.filter(({ status }) => status === 'not claimed')).toEqual([])
  })
})
