import { manualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createComparing } from '../src/session/comparing.ts'

/** Comparisons that end when the test says so, with what the test says. */
function comparisons() {
  const clock = manualClock()
  const under: ((size: number | undefined) => void)[] = []
  const made = { begun: 0, isPossible: true }
  const comparing = createComparing({
    clock,
    isPossible: () => made.isPossible,
    compare() {
      made.begun++
      return new Promise((resolve) => under.push(resolve))
    },
  })
  const end = async (size: number | undefined): Promise<void> => {
    under.shift()!(size)
    await clock.advance(0)
  }
  return { clock, comparing, made, end }
}

describe('comparing', () => {
  it('is tried again until it succeeds, less and less often', async () => {
    const { clock, comparing, made, end } = comparisons()
    comparing.soon()
    for (const pause of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
      const before = made.begun
      await clock.advance(pause - 1)
      expect(made.begun).toBe(before)
      await clock.advance(1)
      expect(made.begun).toBe(before + 1)
      await end(undefined)
    }
  })

  it('goes on by itself, the less often the more there is', async () => {
    const { clock, made, end } = comparisons()
    for (const [size, pause] of [
      [0, 30_000],
      [1_000, 30_000],
      [5_000, 150_000],
      [10_000_000, 300_000],
    ] as const) {
      await clock.advance(300_000)
      await end(size)
      const before = made.begun
      await clock.advance(pause - 1)
      expect(made.begun).toBe(before)
      await clock.advance(1)
      expect(made.begun).toBe(before + 1)
    }
  })

  it('is not put off by hints that come again and again, nor forgets one that comes while it runs', async () => {
    const { clock, comparing, made, end } = comparisons()
    for (let i = 0; i < 10; i++) {
      comparing.soon()
      await clock.advance(10)
    }
    expect(made.begun).toBe(1)
    comparing.soon()
    await end(0)
    await clock.advance(50)
    expect(made.begun).toBe(2)
  })

  it('is shared by those who ask before it has begun, and by no others', async () => {
    const { comparing, made, end } = comparisons()
    const answers = Array.from({ length: 5 }, () => comparing.fresh())
    expect(made.begun).toBe(1)
    await end(undefined)
    expect(made.begun).toBe(2)
    await end(3)
    expect(await Promise.all(answers)).toEqual([false, true, true, true, true])
    expect(made.begun).toBe(2)
  })

  it('is good enough for a moment where there is much of it', async () => {
    const { clock, comparing, made, end } = comparisons()
    const first = comparing.fresh()
    await clock.advance(100)
    await end(100_000)
    expect(await first).toBe(true)
    await clock.advance(899)
    expect(await comparing.fresh()).toBe(true)
    expect(made.begun).toBe(1)
    await clock.advance(1)
    void comparing.fresh()
    expect(made.begun).toBe(2)
  })

  it('waits while there is nobody to ask, and ends when it is closed', async () => {
    const { clock, comparing, made, end } = comparisons()
    made.isPossible = false
    await clock.advance(60_000)
    expect(made.begun).toBe(0)
    made.isPossible = true
    await clock.advance(30_000)
    expect(made.begun).toBe(1)
    comparing.close()
    await end(0)
    await clock.advance(1_000_000)
    expect(made.begun).toBe(1)
  })
})
