import { describe, expect, it } from 'vitest'
import { faults } from '../chaos/faults.ts'
import { runRow, type Row } from '../chaos/row.ts'
import { tableOf, violations } from '../chaos/table.ts'

const good: Row = {
  fault: 'cut',
  store: 'holdfast',
  client: 'ioredis',
  requests: 2_000,
  failed: 0,
  failures: [],
  hung: 0,
  before: 4,
  p99: 5,
  worst: 220,
  recovery: 300,
  lines: { degraded: 1, healthy: 1, other: 0 },
  uncaught: 0,
  mixedUp: 0,
  loggedOut: 0,
}

describe('the bounds of the fault table', () => {
  it('are kept by a row that keeps them all', () => {
    expect(violations(good)).toEqual([])
  })

  it.each<Partial<Row>>([
    { failed: 1 },
    { hung: 1 },
    { p99: 10 },
    { p99: Number.NaN },
    { worst: 251 },
    { recovery: 1_000 },
    { recovery: Number.NaN },
    { lines: { degraded: 0, healthy: 0, other: 0 } },
    { lines: { degraded: 2, healthy: 1, other: 0 } },
    { lines: { degraded: 1, healthy: 1, other: 1 } },
    { uncaught: 1 },
    { mixedUp: 1 },
    { loggedOut: 1 },
  ])('name the cell that is out of bounds: %o', (bad) => {
    expect(violations({ ...good, ...bad })).toEqual([expect.stringMatching(/^cut, ioredis: /)])
  })

  it('allow for lost sessions only where the data was lost', () => {
    expect(violations({ ...good, fault: 'restarted empty', loggedOut: 15 })).toEqual([])
  })

  it(
    'are broken by a store that waits for Redis, or the table would prove nothing',
    { timeout: 60_000 },
    async () => {
      const fault = faults.find(({ name }) => name === 'SIGSTOP')!
      const row = await runRow(fault, {
        store: 'connect-redis',
        client: 'node-redis',
        rate: 50,
        seconds: 1.2,
        lead: 300,
      })
      expect(row.worst, tableOf([row])).toBeGreaterThan(1_000)
    },
  )
})
