import { describe, expect, it } from 'vitest'
import { runCacheRow, type CacheRow } from '../chaos/caches/row.ts'
import { cacheTableOf, cacheViolations } from '../chaos/caches/table.ts'
import { faults } from '../chaos/faults.ts'

const good: CacheRow = {
  fault: 'cut',
  application: 'loop',
  client: 'ioredis',
  calls: 3_000,
  failed: 0,
  failures: [],
  hung: 0,
  before: 6,
  p99: 7,
  factoryP99: 5.5,
  worst: 220,
  factories: 64,
  recovery: 300,
  stale: 0,
  lines: { degraded: 1, healthy: 1, other: 0 },
  uncaught: 0,
}

describe('the bounds of the fault table of caches', () => {
  it('are kept by a row that keeps them all', () => {
    expect(cacheViolations(good)).toEqual([])
  })

  it.each<Partial<CacheRow>>([
    { failed: 1 },
    { hung: 1 },
    { p99: 10.5 },
    { factoryP99: 2 },
    { p99: Number.NaN },
    { factories: 65 },
    { recovery: 1_000 },
    { recovery: Number.NaN },
    { stale: 1 },
    { lines: { degraded: 2, healthy: 1, other: 0 } },
    { lines: { degraded: 1, healthy: 1, other: 1 } },
    { uncaught: 1 },
  ])('name the cell that is out of bounds: %o', (bad) => {
    expect(cacheViolations({ ...good, ...bad })).toEqual([expect.stringMatching(/^loop, cut, ioredis: /)])
  })

  it(
    'are broken by a cache that waits for Redis and forgets what was removed, or the table would prove nothing',
    { timeout: 60_000 },
    async () => {
      const fault = faults.find(({ name }) => name === 'SIGSTOP')!
      const row = await runCacheRow(fault, {
        application: 'cacheable',
        neighbour: 'cacheable',
        client: 'node-redis',
        rate: 50,
        seconds: 1.2,
        lead: 300,
      })
      expect(row.worst, cacheTableOf([row])).toBeGreaterThan(1_000)
      expect(row.factories).toBeGreaterThan(64)
      expect(row.stale).toBeGreaterThan(0)
    },
  )
})
