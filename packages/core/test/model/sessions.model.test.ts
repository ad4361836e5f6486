import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { run } from './run.ts'
import { schedules, type Schedule } from './schedule.ts'

/**
 * In `npm test` the same schedules each time, as many of them as some seconds allow. From outside:
 *
 * - `HOLDFAST_MODEL_RUNS`: that many schedules, however long it takes, from another seed each time.
 * - `HOLDFAST_MODEL_SEED` and `HOLDFAST_MODEL_PATH`: what a failure has printed, to see it again.
 */
const { HOLDFAST_MODEL_RUNS: runs, HOLDFAST_MODEL_SEED: seed, HOLDFAST_MODEL_PATH: path } = process.env
const usualRuns = 2_500
const budget = 30_000
const longestRun = 86_400_000
const longestSchedule = 24

/** Schedules that were broken once, one of some 100,000: by what. */
const onceBroken: readonly (readonly [what: string, schedule: Schedule])[] = [
  [
    'what an older copy still had came back for good, as it was taken for changed by the token that completed the copy',
    {
      seed: 0,
      steps: [
        { do: 'request', browser: 0, process: 1, action: { to: 'login', user: 'ann' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'set', key: 'c' } },
        { do: 'request', browser: 0, process: 2, action: { to: 'read' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'unset', key: 'c' } },
        { do: 'line', process: 'all', is: 'cut' },
        { do: 'drop token', browser: 0 },
        { do: 'request', browser: 0, process: 1, action: { to: 'set', key: 'a' } },
        { do: 'request', browser: 0, process: 2, action: { to: 'set', key: 'a' } },
      ],
    },
  ],
  [
    'what was written here in an outage, and had reached Redis by its token, could not be taken out again',
    {
      seed: 0,
      steps: [
        { do: 'line', process: 1, is: 'cut' },
        { do: 'request', browser: 0, process: 1, action: { to: 'set', key: 'a' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'set', key: 'c' } },
        { do: 'request', browser: 0, process: 1, action: { to: 'unset', key: 'a' } },
        { do: 'line', process: 0, is: 'cut' },
      ],
    },
  ],
  [
    'what was restored from its token while Redis took no writes passed for what Redis has, and a write over it was given up',
    {
      seed: 0,
      steps: [
        { do: 'begin slow', browser: 0, process: 0, key: 'a' },
        { do: 'line', process: 'all', is: 'refusing' },
        { do: 'request', browser: 0, process: 1, action: { to: 'logout everywhere' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'set', key: 'a' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'set', key: 'a' } },
        { do: 'request', browser: 0, process: 2, action: { to: 'set', key: 'a' } },
        { do: 'finish slow' },
        { do: 'request', browser: 0, process: 0, action: { to: 'read' } },
      ],
    },
  ],
  [
    'what was completed by a token passed for newer than it is, and went over what another process wrote after it',
    {
      seed: 0,
      steps: [
        { do: 'line', process: 'all', is: 'cut' },
        { do: 'request', browser: 0, process: 0, action: { to: 'logout elsewhere' } },
        { do: 'drop token', browser: 0 },
        { do: 'request', browser: 0, process: 1, action: { to: 'set', key: 'c' } },
        { do: 'request', browser: 0, process: 0, action: { to: 'set', key: 'c' } },
        { do: 'replay', copy: 0, process: 1 },
      ],
    },
  ],
  [
    'what was completed by a token in an outage passed for what Redis had had, and was not stored for its absence',
    {
      seed: 0,
      steps: [
        { do: 'line', process: 'all', is: 'refusing' },
        { do: 'request', browser: 1, process: 0, action: { to: 'logout' } },
        { do: 'request', browser: 1, process: 1, action: { to: 'set', key: 'a' } },
        { do: 'request', browser: 1, process: 0, action: { to: 'set', key: 'a' } },
        { do: 'pair', browser: 1, processes: [1, 0] },
        { do: 'drop token', browser: 1 },
      ],
    },
  ],
]

describe('sessions, by a model', () => {
  it.each(onceBroken)('holds: %s', (_, schedule) => run(schedule))

  it(
    'hold what they promise under schedules of faults',
    async () => {
      let count = 0
      const property = fc.asyncProperty(schedules(longestSchedule), async (schedule) => {
        count++
        await run(schedule)
      })
      await fc.assert(property, {
        numRuns: Number(runs ?? usualRuns),
        ...(runs === undefined ? { seed: 1, interruptAfterTimeLimit: budget } : {}),
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
      })
      console.info(`the model of sessions: ${count} schedules hold`)
      expect(count).toBeGreaterThan(0)
    },
    longestRun,
  )
})
