import { runBackend } from './backend-run.ts'
import { runCache } from './cache-run.ts'
import { casesFor } from './case.ts'
import type { HoldfastFactory } from './ground.ts'
import { casesOf } from './promises.ts'
import { runStore } from './store-run.ts'
import { checked, faults, offers, type AnySubject, type FaultName, type Kind } from './subject.ts'
import { watchUnhandled } from './unhandled.ts'
import type { Check } from './voyage.ts'

export interface RunOptions {
  /** Runs only the promises whose name contains this text. */
  readonly only?: string
  /** Ends with the first run through the states in which something failed; default `false`. */
  readonly bail?: boolean
  /** Hears of each result as it comes. */
  readonly onResult?: (check: Check) => void
  /** Makes the Holdfast that rides out the outages; default: core's own `createHoldfast`. */
  readonly createHoldfast?: HoldfastFactory
}

/** What a run came to. */
export interface Report {
  readonly subject: string
  readonly kind: Kind
  /** What the subject says that it can do. */
  readonly claims: readonly string[]
  readonly checks: readonly Check[]
  readonly ms: number
}

/** One run through the states, under one fault. */
export interface Run {
  readonly fault: FaultName
  readonly only: string
  readonly createHoldfast: HoldfastFactory | undefined
  readonly onResult: (check: Check) => void
  readonly onClaim: (claim: string) => void
}

/** Runs the suite on a subject. Resolves with what it came to; a promise that is broken does not make it reject. */
export async function runConformance(
  subject: AnySubject,
  { only = '', bail = false, onResult, createHoldfast }: RunOptions = {},
): Promise<Report> {
  const began = performance.now()
  const checks: Check[] = []
  const claims = new Set<string>()
  const { kind = 'backend' } = checked(subject)
  try {
    for (const fault of faults) {
      if (bail && checks.some(({ status }) => status === 'failed')) break
      const run: Run = {
        fault,
        only,
        createHoldfast,
        onResult(check) {
          checks.push(check)
          onResult?.(check)
        },
        onClaim: (claim) => void claims.add(claim),
      }
      if (casesFor(casesOf(kind), run).length === 0) continue
      const unhandled = watchUnhandled(fault, run.onResult)
      try {
        await runOne(subject, run)
      } finally {
        await unhandled.stop()
      }
    }
  } finally {
    await subject.stop?.()
  }
  for (const fault of faults) if (offers(subject, fault)) claims.add(`fault.${fault}`)
  return {
    subject: subject.name,
    kind,
    claims: [...claims],
    checks,
    ms: Math.round(performance.now() - began),
  }
}

function runOne(subject: AnySubject, run: Run): Promise<void> {
  switch (subject.kind) {
    case 'session store':
      return runStore(subject, run)
    case 'cache':
      return runCache(subject, run)
    default:
      return runBackend(subject, run)
  }
}
