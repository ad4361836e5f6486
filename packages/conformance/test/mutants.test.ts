import { beforeAll, describe, expect, it } from 'vitest'
import { formatReport, isConformant, promises, runConformance, type Report } from '@holdfast/conformance'
import { model } from './model.ts'
import { mutants } from './mutants.ts'

/** Shown in `cli.test.ts`: an error that nobody handles would end this very run. */
const shownElsewhere = 'leaves no rejection and no error event unhandled'
const names = promises('backend').map(({ name }) => name)

describe('the suite', () => {
  it('finds nothing wrong with a good backend', { timeout: 30_000 }, async () => {
    const report = await runConformance(model())
    expect(isConformant(report), formatReport(report)).toBe(true)
    expect(report.checks.filter(({ status }) => status !== 'passed')).toEqual([])
  })

  it('has a mutant for every promise', () => {
    const shown = mutants.flatMap(({ breaks }) => names.filter((name) => name.includes(breaks)))
    expect(new Set([...shown, shownElsewhere])).toEqual(new Set(names))
    expect(shown.length, 'a mutant that breaks more or less than one promise').toBe(mutants.length)
  })
})

const runs = new Map(mutants.map((mutant) => [mutant, Promise.withResolvers<Report>()]))
/** Mutants mostly wait, so many run at once; with all of them, a busy machine would look like an outage. */
const lanes = 12

beforeAll(() => {
  const waiting = runs.entries()
  const runOn = async (): Promise<void> => {
    for (const [{ breaks, mutate, createHoldfast }, run] of waiting) {
      const options = { only: nameOf(breaks), bail: true, ...(createHoldfast && { createHoldfast }) }
      run.resolve(await runConformance(model({ ...(mutate && { mutate }) }), options))
    }
  }
  for (let lane = 0; lane < lanes; lane++) void runOn()
})

describe('the suite catches a backend that breaks its promise', () => {
  for (const mutant of mutants) {
    const name = nameOf(mutant.breaks)
    it(`${name}: by ${mutant.by}`, { timeout: 40_000 }, async () => {
      const report = await runs.get(mutant)!.promise
      const failed = report.checks.filter(({ status }) => status === 'failed').map((check) => check.name)
      expect(failed, formatReport(report)).toContain(name)
    })
  }
})

function nameOf(part: string): string {
  return names.find((name) => name.includes(part)) ?? part
}
