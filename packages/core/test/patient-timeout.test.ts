import { manualClock } from '@holdfast-internal/test-fixtures'
import { expect, it } from 'vitest'
import { setPatientTimeout } from '../src/availability/patient-timeout.ts'

function setUp(ms: number) {
  const clock = manualClock()
  let calls = 0
  const timer = setPatientTimeout(clock, () => calls++, ms)
  return { clock, timer, calls: () => calls }
}

it.each([1, 50, 200, 60_000])('calls back once, after %d ms', async (ms) => {
  const { clock, calls } = setUp(ms)
  await clock.advance(ms - 1)
  expect(calls()).toBe(0)
  await clock.advance(1)
  expect(calls()).toBe(1)
  await clock.advance(10 * ms)
  expect(calls()).toBe(1)
})

it('counts for little what the process stood still', async () => {
  const { clock, calls } = setUp(1_000)
  clock.standStill(60_000)
  await clock.advance(899)
  expect(calls()).toBe(0)
  await clock.advance(1)
  expect(calls()).toBe(1)
})

it('does not call back once it is cancelled, however late', async () => {
  const { clock, timer, calls } = setUp(200)
  const late = setUp(10)
  await clock.advance(150)
  timer.cancel()
  await clock.advance(1_000)
  // Due, and what came meanwhile has its turn.
  const advancing = late.clock.advance(10)
  setImmediate(late.timer.cancel)
  await advancing
  expect([calls(), late.calls()]).toEqual([0, 0])
})
