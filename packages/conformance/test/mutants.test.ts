import { describe, expect, it } from 'vitest'
import { formatReport, isConformant, promises, runConformance, type Report } from '@holdfast/conformance'
import { model } from './model.ts'
import { mutants } from './mutants.ts'

/** Shown in `cli.test.ts`: an error that nobody handles would end this very run. */
const shownElsewhere = 'leaves no rejection and no error event unhandled'
const names = promises('backend').map(({ name }) => name)

describe('the suite', () => {
  it('finds nothing wrong with a good backend', async () => {
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

describe.concurrent('the suite catches a backend that breaks its promise', () => {
  for (const { breaks, by, mutate, createHoldfast } of mutants) {
    const name = names.find((promise) => promise.includes(breaks)) ?? breaks
    it(`${name}: by ${by}`, async () => {
      const options = { only: name, ...(createHoldfast && { createHoldfast }) }
      const report: Report = await runConformance(model({ ...(mutate && { mutate }) }), options)
      const failed = report.checks.filter(({ status }) => status === 'failed').map((check) => check.name)
      expect(failed, formatReport(report)).toContain(name)
    }, 30_000)
  }
})
