import { expect, it } from 'vitest'
import { manualClock } from '@holdfast-internal/test-fixtures'
import { createLimit, type Limit } from '../src/cache/limit.ts'

const clock = manualClock()
let isOn = true
const limitOf = (max: number): Limit =>
  createLimit({ max, isOn: () => isOn, waiting: 10, patience: 1_000, clock })

/** Enters, and tells whether that has come to anything yet. */
function entered(limit: Limit): { outcome: 'waits' | 'runs' | 'turned away'; leave(): void } {
  const entry = { outcome: 'waits' as 'waits' | 'runs' | 'turned away', leave: () => undefined as void }
  void limit.enter({ isUrgent: false, onWaiting: () => undefined }).then((leave) => {
    entry.outcome = leave ? 'runs' : 'turned away'
    if (leave) entry.leave = leave
  })
  return entry
}

/** So many who came while there was no bound; from then on there is one. */
async function before(limit: Limit, count: number): Promise<(() => void)[]> {
  isOn = false
  const entries = Array.from({ length: count }, () => entered(limit))
  await settled()
  isOn = true
  return entries.map(({ leave }) => leave)
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('counts those who ran before there was a bound: others begin once fewer than so many run', async () => {
  const limit = limitOf(2)
  const leaves = await before(limit, 3)
  const waiting = entered(limit)
  leaves[0]!()
  await settled()
  expect(waiting.outcome).toBe('waits')
  leaves[1]!()
  await settled()
  expect(waiting.outcome).toBe('runs')
  const next = entered(limit)
  leaves[2]!()
  waiting.leave()
  await settled()
  expect(next.outcome).toBe('runs')
})

it('lets who has waited longest go along with who comes while there is no bound, and the others after them', async () => {
  const limit = limitOf(2)
  const leaves = await before(limit, 3)
  const waiting = [entered(limit), entered(limit), entered(limit)]
  const outcomes = (): string[] => waiting.map(({ outcome }) => outcome)
  await settled()
  expect(outcomes()).toEqual(['waits', 'waits', 'waits'])
  leaves.push(...(await before(limit, 1)))
  expect(outcomes()).toEqual(['runs', 'waits', 'waits'])
  for (const leave of leaves) leave()
  await settled()
  expect(outcomes()).toEqual(['runs', 'runs', 'waits'])
  waiting[0]!.leave()
  await settled()
  expect(outcomes()).toEqual(['runs', 'runs', 'runs'])
})

it.each([
  [true, 'turned away'],
  [false, 'runs'],
])('who has waited for long is turned away only while there is a bound: %s', async (still, outcome) => {
  const limit = limitOf(1)
  await before(limit, 1)
  const waiting = entered(limit)
  isOn = still
  await clock.advance(1_000)
  await settled()
  expect(waiting.outcome).toBe(outcome)
})
