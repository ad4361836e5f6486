import { manualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { closed, open, type Circuit } from '../src/availability/circuit.ts'
import { lostFault } from '../src/availability/classify.ts'
import { keepSettled } from '../src/degradation/keep-settled.ts'

function setUp(longestPause: number) {
  const clock = manualClock()
  const began = clock.now()
  const tries: number[] = []
  let circuit: Circuit = open(lostFault)
  let tell: (next: Circuit) => void = () => {}
  const state = { left: 1 }
  const soon = keepSettled({
    availability: {
      circuit: () => circuit,
      watch(listener) {
        tell = listener
        return () => undefined
      },
      onRecovery: () => undefined,
      call: () => Promise.reject(new Error('not called')),
    },
    clock,
    async settle() {
      tries.push(clock.now() - began)
      return undefined
    },
    isSettled: () => state.left === 0,
    longestPause,
  })
  const move = (next: Circuit): void => {
    circuit = next
    tell(next)
  }
  return { clock, tries, state, soon, move }
}

describe('what is left to settle', () => {
  it('is tried right after the recovery, and then less and less often while it stays', async () => {
    const { clock, tries, move } = setUp(5_000)
    move(closed)
    await clock.advance(20_000)
    expect(tries).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300])
  })

  it('is tried as often as is asked for', async () => {
    const { clock, tries, move } = setUp(100)
    move(closed)
    await clock.advance(550)
    expect(tries).toEqual([0, 100, 200, 300, 400, 500])
  })

  it('is tried a moment after it came up, once, and not while there is nothing, or nobody to ask', async () => {
    const { clock, tries, state, soon, move } = setUp(100)
    soon()
    await clock.advance(1_000)
    expect(tries).toEqual([])
    state.left = 0
    move(closed)
    soon()
    await clock.advance(1_000)
    expect(tries).toEqual([])
    state.left = 1
    soon()
    soon()
    await clock.advance(150)
    expect(tries).toEqual([2_100])
    move(open(lostFault))
    await clock.advance(1_000)
    expect(tries).toEqual([2_100])
  })
})
