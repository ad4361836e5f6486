import { runBackend } from './backend-run.ts'
import type { HoldfastFactory } from './ground.ts'
import { runStore } from './store-run.ts'
import {
  checked,
  faults,
  offers,
  type BackendSubject,
  type FaultName,
  type SessionStoreSubject,
} from './subject.ts'
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
  readonly kind: 'backend' | 'session store'
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
  subject: BackendSubject | SessionStoreSubject,
  { only = '', bail = false, onResult, createHoldfast }: RunOptions = {},
): Promise<Report> {
  const began = performance.now()
  const checks: Check[] = []
  const claims = new Set<string>()
  checked(subject)
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
      await (subject.kind === 'session store' ? runStore(subject, run) : runBackend(subject, run))
    }
  } finally {
    await subject.stop?.()
  }
  for (const fault of faults) if (offers(subject, fault)) claims.add(`fault.${fault}`)
  const kind = subject.kind ?? 'backend'
  return {
    subject: subject.name,
    kind,
    claims: [...claims],
    checks,
    ms: Math.round(performance.now() - began),
  }
}
