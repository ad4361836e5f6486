import { beforeAll, describe, expect, it } from 'vitest'
import { formatReport, isConformant, promises, runConformance, type Report } from '@holdfast/conformance'
import { modelStore } from './model-store.ts'
import { storeMutants } from './store-mutants.ts'

const shownElsewhere = 'leaves no rejection and no error event unhandled'
const names = promises('session store').map(({ name }) => name)
const nameOf = (part: string): string => names.find((name) => name.includes(part)) ?? part

describe('the session store suite', () => {
  it('finds nothing wrong with a good store', { timeout: 30_000 }, async () => {
    const report = await runConformance(modelStore())
    expect(isConformant(report), formatReport(report)).toBe(true)
    expect(report.checks.filter(({ status }) => status !== 'passed')).toEqual([])
  })

  it('has a mutant for every promise', () => {
    const shown = storeMutants.flatMap(({ breaks }) => names.filter((name) => name.includes(breaks)))
    expect(new Set([...shown, shownElsewhere])).toEqual(new Set(names))
    expect(shown.length, 'a mutant that breaks more or less than one promise').toBe(storeMutants.length)
  })
})

const runs = new Map<object, PromiseWithResolvers<Report>>(
  storeMutants.map((each) => [each, Promise.withResolvers()]),
)

beforeAll(() => {
  for (const each of storeMutants) {
    const { resolve, reject } = runs.get(each)!
    runConformance(modelStore(each.mutation), { only: nameOf(each.breaks), bail: true }).then(resolve, reject)
  }
})

describe('the suite catches a store that breaks its promise', () => {
  for (const each of storeMutants) {
    const name = nameOf(each.breaks)
    it(`${name}: by ${each.by}`, { timeout: 40_000 }, async () => {
      const report = await runs.get(each)!.promise
      const failed = report.checks.filter(({ status }) => status === 'failed').map((check) => check.name)
      expect(failed, formatReport(report)).toContain(name)
    })
  }
})
