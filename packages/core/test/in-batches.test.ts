import { manualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { lostFault, type Fault } from '../src/availability/classify.ts'
import { inBatches } from '../src/degradation/in-batches.ts'

/** Settles so many things with a primary that takes its time, and gives how many travelled at once. */
async function settled(
  count: number,
  answerTime: (underWay: number) => number,
  faultAt?: number,
): Promise<{ sizes: number[]; ms: number; fault: Fault | undefined; items: number[] }> {
  const clock = manualClock()
  const began = clock.now()
  const startedAt = new Map<number, number>()
  const items: number[] = []
  let isDone = false
  const settling = inBatches(
    Array.from({ length: count }, (_, i) => i),
    clock,
    async (item) => {
      const now = clock.now()
      items.push(item)
      startedAt.set(now, (startedAt.get(now) ?? 0) + 1)
      await Promise.resolve()
      const ms = answerTime(startedAt.get(now)!)
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))
      return item === faultAt ? lostFault : undefined
    },
  ).finally(() => (isDone = true))
  while (!isDone) await clock.advance(5)
  return { sizes: [...startedAt.values()], ms: clock.now() - began, fault: await settling, items }
}

describe('settling in batches', () => {
  it('sends more at once while only the distance takes time', async () => {
    const { sizes, ms, items } = await settled(10_000, () => 20)
    expect(sizes.slice(0, 6)).toEqual([64, 128, 256, 512, 1_024, 1_024])
    expect(Math.max(...sizes)).toBe(1_024)
    expect(ms).toBeLessThan(300)
    expect(items).toEqual(Array.from({ length: 10_000 }, (_, i) => i))
  })

  it('sends no more than a fleet may where the primary takes its time for each', async () => {
    const { sizes } = await settled(2_000, (underWay) => underWay / 4)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(128)
    expect(sizes.filter((size) => size === 64).length).toBeGreaterThan(sizes.length / 3)
  })

  it('ends with the batch that met a fault', async () => {
    const { items, fault } = await settled(1_000, () => 20, 70)
    expect(fault).toBe(lostFault)
    expect(items).toHaveLength(64 + 128)
  })

  it('does nothing for none', async () => {
    expect(await settled(0, () => 20)).toMatchObject({ fault: undefined, items: [] })
  })
})
