import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mutant, type MutantName } from './active-mutant.ts'
import { brokenLine } from './line-mutants.ts'
import { run } from './run.ts'
import { schedules } from './schedule.ts'

vi.mock('../../src/session/merge.ts', async (original) => (await mutants()).merge(await original()))
vi.mock('../../src/session/token.ts', async (original) => (await mutants()).token(await original()))
vi.mock('../../src/session/marks.ts', async (original) => (await mutants()).marks(await original()))
vi.mock('../../src/session/sessions.ts', async (original) => (await mutants()).sessions(await original()))
vi.mock('../../src/degradation/settle.ts', async (original) => (await mutants()).settle(await original()))
vi.mock('../../src/degradation/rules.ts', async (original) => (await mutants()).rules(await original()))
vi.mock('../../src/degradation/knowledge.ts', async (original) =>
  (await mutants()).knowledge(await original()),
)
vi.mock('../../src/availability/deadlines.ts', async (original) =>
  (await mutants()).deadlines(await original()),
)
vi.mock('../../src/session/endings.ts', async (original) => (await mutants()).endings(await original()))

const { mutants } = vi.hoisted(() => ({
  mutants: async () => (await import('./engine-mutants.ts')).mutated,
}))

/**
 * Each breaks one promise, and has to show as a violation of the invariants that stand on it. The same schedule has to hold
 * where nothing is broken.
 */
const broken: Readonly<Record<MutantName, RegExp>> = {
  'restores without set-if-absent': /^S[25]/,
  'drops the version check': /^S[3-6]/,
  'loads no tombstones': /^S[34]/,
  'publishes no endings': /^S3/,
  'keeps no tombstones in the primary': /^S[34]/,
  'does not notice a gap in what it hears': /^S3/,
  'loses every other write': /^S[25]/,
  'of two versions the later one stays': /^S[25]/,
  "a token's keys do not go over an older record": /^S5/,
  'tokens open for any session': /^S7/,
  'sessions never count as ended': /^S[34]/,
  'users never count as logged out everywhere': /^S[34]/,
  'endings are forgotten while the primary is away': /^S[34]/,
  'endings of a user are not marked': /^S[34]/,
  'the journal is not replayed': /^S5/,
  'the primary is trusted before endings are compared': /^S[234]/,
  'a write in memory ignores what it was based on': /^S[25]/,
  'what cannot be known is said not to be there': /^S8/,
  'calls never time out': /^S1/,
  'writes are refused while the primary is away': /^S1/,
  'a changed session keeps its token': /^S[25]/,
  'an unknown session gets a token': /^S8/,
  'memory outranks a newer token': /^S[25]/,
  'what is missing counts as ended': /^S12/,
}

const most = 3_000

describe('the model of sessions', () => {
  afterEach(() => void (mutant.active = undefined))

  for (const [name, violation] of Object.entries(broken)) {
    it(`notices when the engine is broken: ${name}`, async () => {
      mutant.active = name as MutantName
      const property = fc.asyncProperty(schedules(24), (schedule) => run(schedule, brokenLine))
      const found = await fc.check(property, { numRuns: most, seed: 9, endOnFailure: true })
      expect(found.failed, `not noticed in ${found.numRuns} schedules`).toBe(true)
      expect(String((found.errorInstance as Error).message)).toMatch(violation)

      mutant.active = undefined
      await run(found.counterexample![0], brokenLine)
    })
  }
})
