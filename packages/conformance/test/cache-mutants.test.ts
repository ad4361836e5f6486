import { beforeAll, describe, expect, it } from 'vitest'
import { formatReport, isConformant, promises, runConformance, type Report } from '@holdfast/conformance'
import { contractMutants } from './cache-mutants-contract.ts'
import { fleetMutants } from './cache-mutants-fleet.ts'
import { outageMutants } from './cache-mutants-outage.ts'
import { modelCache } from './model-cache.ts'

const shownElsewhere = 'leaves no rejection and no error event unhandled'
const names = promises('cache').map(({ name }) => name)
const nameOf = (part: string): string => names.find((name) => name.includes(part)) ?? part
/** One mutant at least for each promise of a cache. */
const mutants = [...contractMutants, ...fleetMutants, ...outageMutants]

describe('the cache suite', () => {
  it('finds nothing wrong with a good cache', { timeout: 30_000 }, async () => {
    const report = await runConformance(modelCache())
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
const lanes = 12

beforeAll(() => {
  const waiting = runs.entries()
  const runOn = async (): Promise<void> => {
    for (const [{ breaks, by: _, ...how }, run] of waiting)
      run.resolve(await runConformance(modelCache(how), { only: nameOf(breaks), bail: true }))
  }
  for (let lane = 0; lane < lanes; lane++) void runOn()
})

describe('the suite catches a cache that breaks its promise', () => {
  for (const mutant of mutants) {
    const name = nameOf(mutant.breaks)
    it(`${name}: by ${mutant.by}`, { timeout: 40_000 }, async () => {
      const report = await runs.get(mutant)!.promise
      const failed = report.checks.filter(({ status }) => status === 'failed').map((check) => check.name)
      expect(failed, formatReport(report)).toContain(name)
    })
  }
})
