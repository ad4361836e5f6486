import { describe, expect, it } from 'vitest'
import { runCacheRow } from '../chaos/caches/row.ts'
import { cacheTableOf, cacheViolations, onBusyMachine } from '../chaos/caches/table.ts'
import { faults } from '../chaos/faults.ts'

/** One fault of each kind: Redis is away, does not answer, takes no writes, comes and goes, was never there, lost its data. */
const short = [
  ['kill -9', 'ioredis'],
  ['SIGSTOP', 'ioredis'],
  ['OOM, noeviction', 'ioredis'],
  ['CLIENT KILL of everything', 'ioredis'],
  ['refused at start', 'node-redis'],
  ['restarted empty', 'node-redis'],
] as const

/** `npm run chaos` is the long form; as with sessions, milliseconds are judged only there. */
describe.concurrent('a cache under load', () => {
  it.for(short)(
    'answers every call, and nothing stale once Redis is back: %s, %s',
    { timeout: 60_000 },
    async ([name, client]) => {
      const fault = faults.find((one) => one.name === name)!
      const row = await runCacheRow(fault, { application: 'loop', client, rate: 50, seconds: 1.2, lead: 300 })
      expect(cacheViolations(row, onBusyMachine), cacheTableOf([row])).toEqual([])
      expect(row.worst).toBeLessThan(2_000)
      // The crowd came, and what held it back was the bound.
      expect(row.calls).toBeGreaterThan(400)
      expect(row.factories).toBeGreaterThan(32)
    },
  )
})
