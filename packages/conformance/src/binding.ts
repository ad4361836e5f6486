import { isByFault } from './case.ts'
import { casesOf } from './promises.ts'
import { runConformance, type Report, type RunOptions } from './run.ts'
import { faults, offers, type AnySubject } from './subject.ts'
import { nothingAstray } from './unhandled.ts'
import { checksOf, type Check } from './voyage.ts'

/** What a test runner has to offer: vitest, node:test, mocha and jest do. */
export interface Runner {
  describe(title: string, body: () => void): unknown
  it(title: string, body: () => Promise<void>, timeout: number): unknown
}

/** For runners that know one, in ms: a test waits until the whole run has come to its check. */
const timeout = 60_000

/** A suite that was handed to a test runner. */
export interface Bound {
  /** Begins the run, which the first test would do otherwise: several subjects can run side by side. */
  start(): Promise<Report>
}

/**
 * Registers the suite with a test runner: one test for each promise, fault and state. What the subject cannot be put
 * under has a title that begins with "not claimed" and passes; nothing is skipped.
 */
export function conformance(subject: AnySubject, { describe, it }: Runner, options: RunOptions = {}): Bound {
  const results = new Map<string, PromiseWithResolvers<Check>>()
  let report: Promise<Report> | undefined
  const start = (): Promise<Report> => (report ??= runConformance(subject, { ...options, onResult }))

  function onResult(check: Check): void {
    options.onResult?.(check)
    resultOf(check).resolve(check)
  }

  function resultOf(check: Pick<Check, 'name' | 'fault' | 'state'>): PromiseWithResolvers<Check> {
    const id = `${check.name}\n${check.fault}\n${check.state}`
    const result = results.get(id) ?? Promise.withResolvers<Check>()
    results.set(id, result)
    return result
  }

  describe(`conformance of ${subject.name}`, () => {
    for (const { theme, name, fault, state } of expected(subject, options.only)) {
      const about = isByFault(state)
      const title = `${theme}: ${name} (${about ? `${state} by ${fault}` : `${state}, ${fault} run`})`
      it(
        about && !offers(subject, fault) ? `not claimed: ${title}` : title,
        async () => {
          const result = resultOf({ name, fault, state }).promise
          const check = await Promise.race([result, start().then(() => result)])
          if (check.status === 'failed') throw check.error
        },
        timeout,
      )
    }
  })
  return { start }
}

type Expected = Pick<Check, 'theme' | 'name' | 'fault' | 'state'>

function expected({ kind = 'backend' }: AnySubject, only = ''): Expected[] {
  const chosen = casesOf(kind).filter(({ name }) => name.includes(only))
  const checks = chosen.flatMap((promise) =>
    checksOf(promise).map((at) => ({ theme: promise.theme, name: promise.name, ...at })),
  )
  const sailed = faults.filter((fault) => chosen.some(({ under }) => under.includes(fault)))
  return [
    ...checks,
    ...sailed.map((fault) => ({ theme: 'errors', name: nothingAstray, fault, state: 'closed' as const })),
  ]
}
