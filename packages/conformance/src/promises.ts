import type { Case, State } from './case.ts'
import { cacheCases } from './cache-cases/index.ts'
import { backendCases } from './cases/index.ts'
import { storeCases } from './store-cases/index.ts'
import type { FaultName, Kind } from './subject.ts'
import { nothingAstray } from './unhandled.ts'
import { checksOf } from './voyage.ts'

/** A promise that the suite checks. */
export interface PromiseOf {
  readonly theme: string
  readonly name: string
  readonly faults: readonly FaultName[]
  readonly states: readonly State[]
}

/** Gives the cases of a kind of subject. */
export function casesOf(kind: Kind): readonly Case<never>[] {
  switch (kind) {
    case 'backend':
      return backendCases
    case 'session store':
      return storeCases
    case 'cache':
      return cacheCases
  }
}

/** Lists what the suite checks: for documentation, and for those who want to show that each check can fail. */
export function promises(kind: Kind): PromiseOf[] {
  const listed = casesOf(kind).map((promise): PromiseOf => ({
    theme: promise.theme,
    name: promise.name,
    faults: promise.under,
    states: [...new Set(checksOf(promise).map(({ state }) => state))],
  }))
  return [
    ...listed,
    { theme: 'errors', name: nothingAstray, faults: ['cut', 'hang', 'slow'], states: ['closed'] },
  ]
}
