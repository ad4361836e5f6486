import { describe, expect, it } from 'vitest'
import { faults } from '../chaos/faults.ts'
import { runRow } from '../chaos/row.ts'
import { onBusyMachine, tableOf, violations } from '../chaos/table.ts'

/** Over node-redis, those where it behaves most unlike ioredis. */
const overNodeRedis = ['refused at start', 'SIGSTOP', 'cut', 'OOM, noeviction', 'WRONGPASS after start']

/**
 * The fault table in short: `npm run chaos` is the long form, and the one that judges latency.
 */
describe.concurrent('an Express application under load', () => {
  const rows = [
    ...faults.map((fault) => ({ fault, client: 'ioredis' as const })),
    ...faults
      .filter(({ name }) => overNodeRedis.includes(name))
      .map((fault) => ({ fault, client: 'node-redis' as const })),
  ]
  it.for(rows.map((row) => [row.fault.name, row.client, row] as const))(
    'answers every request, and comes back by itself: %s, %s',
    { timeout: 60_000 },
    async ([, , { fault, client }]) => {
      const row = await runRow(fault, { store: 'holdfast', client, rate: 50, seconds: 1.2, lead: 300 })
      expect(violations(row, onBusyMachine), tableOf([row])).toEqual([])
      expect(row.requests).toBeGreaterThan(80)
    },
  )
})
