import { failed, succeeded, type Answer, type Calls } from './calls.ts'
import type { Fault } from './classify.ts'

/** What a recovery step gets to work with. */
export interface Settling {
  /** Calls the primary under the deadline although the circuit is not closed yet. */
  call<T>(operation: () => Promise<T>): Promise<Answer<T>>
}

/** A step before the primary is trusted again; gives the fault that stopped it. */
export type RecoveryStep = (settling: Settling) => Promise<Fault | undefined>

/** Does the steps one after the other, up to the first that fails, or until `isOver`. */
export async function settleBy(
  steps: readonly RecoveryStep[],
  calls: Calls,
  isOver: () => boolean,
): Promise<Fault | undefined> {
  const settling: Settling = { call: (operation) => calls.send(operation, succeeded, failed) }
  for (const step of steps) {
    const fault = await step(settling)
    if (fault || isOver()) return fault
  }
  return undefined
}
