import type { FaultName } from './subject.ts'

/**
 * The states in which promises are tried, in the order in which a subject lives through them; `recovered again`: after a
 * second and short outage.
 */
export const states = ['healthy', 'degraded', 'recovered', 'recovered again', 'closed'] as const
export type State = (typeof states)[number]

/** Whether a state is brought about by the fault. */
export function isByFault(state: State): boolean {
  return state !== 'healthy' && state !== 'closed'
}

type Step<Ground, Memo> = (ground: Ground, memo: Memo) => Promise<void>

/**
 * A promise and how to find out whether it is kept: one step for each state in which it makes sense. The steps of a
 * case belong together: what the healthy one returns is handed to those that follow.
 */
export interface Case<Ground> {
  /** The promise, in plain words. */
  readonly name: string
  readonly theme: string
  /** The faults it is tried under, each in a run of its own. */
  readonly under: readonly FaultName[]
  /** What the subject has to claim; a reason if it does not. */
  readonly unclaimed?: (ground: Ground) => string | undefined
  /** What is tried after the outage is what was tried at first: it need not be at once. */
  readonly isRepeated: boolean
  readonly steps: Partial<Record<State, (ground: Ground, memo: unknown) => Promise<unknown>>>
}

/** What is written down for a case. */
export interface CaseDefinition<Ground, Memo> {
  readonly under?: readonly FaultName[]
  readonly unclaimed?: (ground: Ground) => string | undefined
  readonly isRepeated?: boolean
  readonly healthy?: (ground: Ground) => Promise<Memo>
  readonly degraded?: Step<Ground, Memo>
  readonly recovered?: Step<Ground, Memo>
  readonly 'recovered again'?: Step<Ground, Memo>
  readonly closed?: Step<Ground, Memo>
}

/** Collects the cases of one theme. */
export interface Theme<Ground> {
  readonly cases: readonly Case<Ground>[]
  promise<Memo>(name: string, definition: CaseDefinition<Ground, Memo>): void
  /** A promise that holds whenever the subject is up: at first, and again after an outage. */
  always(name: string, check: (ground: Ground) => Promise<void>, unclaimed?: Case<Ground>['unclaimed']): void
}

interface Reusable<Ground> {
  usable(): Promise<void>
  again(): Ground
}

/** Opens a theme. */
export function createTheme<Ground extends Reusable<Ground>>(theme: string): Theme<Ground> {
  const cases: Case<Ground>[] = []
  function promise<Memo>(name: string, definition: CaseDefinition<Ground, Memo>): void {
    const { under = ['cut'], unclaimed, isRepeated = false, ...steps } = definition
    const erased = steps as Case<Ground>['steps']
    cases.push({ name, theme, under, isRepeated, steps: erased, ...(unclaimed && { unclaimed }) })
  }
  return {
    cases,
    promise,
    always(name, check, unclaimed) {
      const recovered = async (ground: Ground): Promise<void> => {
        await ground.usable()
        await check(ground.again())
      }
      promise(name, { isRepeated: true, healthy: check, recovered, ...(unclaimed && { unclaimed }) })
    },
  }
}

/** The cases that are tried under a fault, or those of them that were asked for. */
export function casesFor<Ground>(
  cases: readonly Case<Ground>[],
  { fault, only }: { readonly fault: FaultName; readonly only: string },
): readonly Case<Ground>[] {
  return cases.filter(({ name, under }) => under.includes(fault) && name.includes(only))
}
