import { formatReport, isConformant, promises, runConformance, type Report } from '@holdfast/conformance'
import { beforeAll, describe, expect, it } from 'vitest'

/** Shown in `cli.test.ts`: an error that nobody handles would end this very run. */
const shownElsewhere = 'leaves no rejection and no error event unhandled'

interface Mutant {
  /** A part of the name of the one promise that it breaks. */
  readonly breaks: string
  readonly by: string
}

export interface MutantSuite<M extends Mutant> {
  readonly kind: NonNullable<Parameters<typeof promises>[0]>
  /** What keeps all promises. */
  readonly good: () => Parameters<typeof runConformance>[0]
  readonly mutants: readonly M[]
  /** Runs the suite on a mutant. */
  readonly run: (mutant: M, options: { readonly only: string; readonly bail: true }) => Promise<Report>
  /** How many run at once. Mutants mostly wait; but with all of them, a busy machine would look like an outage. Default 12. */
  readonly lanes?: number
}

/** Shows that a suite finds nothing wrong with what is good, and catches a mutant for each of its promises. */
export function showMutants<M extends Mutant>(suite: MutantSuite<M>): void {
  const { kind, good, mutants, run, lanes = 12 } = suite
  const names = promises(kind).map(({ name }) => name)
  const nameOf = (part: string): string => names.find((name) => name.includes(part)) ?? part

  describe(`the ${kind} suite`, () => {
    it(`finds nothing wrong with a good ${kind}`, { timeout: 60_000 }, async () => {
      const report = await runConformance(good())
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

  beforeAll(() => {
    const waiting = runs.entries()
    const runOn = async (): Promise<void> => {
      for (const [mutant, { resolve, reject }] of waiting)
        await run(mutant, { only: nameOf(mutant.breaks), bail: true }).then(resolve, reject)
    }
    for (let lane = 0; lane < Math.min(lanes, mutants.length); lane++) void runOn()
  })

  describe(`the suite catches a ${kind} that breaks its promise`, () => {
    for (const mutant of mutants) {
      const name = nameOf(mutant.breaks)
      it(`${name}: by ${mutant.by}`, { timeout: 60_000 }, async () => {
        const report = await runs.get(mutant)!.promise
        const failed = report.checks.filter(({ status }) => status === 'failed').map((check) => check.name)
        expect(failed, formatReport(report)).toContain(name)
      })
    }
  })
}
