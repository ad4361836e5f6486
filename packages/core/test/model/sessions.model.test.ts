import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { run } from './run.ts'
import { schedules } from './schedule.ts'

vi.mock('lru-cache', async (importOriginal) => {
  const { withSmallCaches } = await import('./small-caches.ts')
  return withSmallCaches(await importOriginal())
})

describe('sessions, by a model', () => {
  it('hold S1 to S8, S11 and S12 under schedules of faults', async () => {
    const budget = Number(process.env['HOLDFAST_MODEL_SECONDS'] ?? 15) * 1000
    const start = performance.now()
    let count = 0
    const property = fc.asyncProperty(schedules(24), async (schedule) => {
      count++
      await run(schedule)
    })
    await fc.assert(property, { numRuns: 100_000, interruptAfterTimeLimit: budget })
    console.log(count, (performance.now() - start) / count)
    expect(count).toBeGreaterThan(0)
  }, 200_000)
})
