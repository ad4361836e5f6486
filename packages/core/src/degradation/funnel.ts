import { HoldfastError } from '../errors.ts'
import type { Availability } from '../availability/availability.ts'
import type { Access } from '../availability/circuit.ts'
import type { Fault } from '../availability/classify.ts'
import type { Rule } from './rules.ts'

/** The ways an operation can be answered. */
export interface Ways<P, T> {
  /** Asks the primary. */
  readonly primary: () => Promise<P>
  /** Makes the answer of what the primary said. */
  readonly answered: (value: P) => T | Promise<T>
  /** Answers without it. Not asked under a rule that refuses. */
  readonly degraded: (fault: Fault | undefined) => T
  /** Answers where the primary rejected just this command. Left out: an error. */
  readonly rejected?: (fault: Fault) => T
}

/** The one place where a failure of the primary becomes an answer. */
export type Funnel = <P, T>(access: Access, ways: Ways<P, T>) => Promise<T>

/** Creates the funnel of one concern under its rule. */
export function createFunnel(availability: Availability, rule: Rule): Funnel {
  return (access, ways) => {
    if (availability.allows(access)) {
      return availability.ask(access, ways.primary, ways.answered, (fault) =>
        answerFault(access, ways, fault),
      )
    }
    try {
      return Promise.resolve(answerDegraded(access, ways, undefined))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function answerFault<P, T>(access: Access, ways: Ways<P, T>, fault: Fault): T {
    if (fault.kind !== 'rejected') return answerDegraded(access, ways, fault)
    if (ways.rejected) return ways.rejected(fault)
    if (fault.error instanceof HoldfastError) throw fault.error
    throw new HoldfastError('ERR_HOLDFAST_REJECTED', `The primary rejected a ${access} (${fault.code}).`, {
      cause: fault.error,
    })
  }

  function answerDegraded<P, T>(access: Access, ways: Ways<P, T>, fault: Fault | undefined): T {
    if (rule[access] !== 'refuse') return ways.degraded(fault)
    throw new HoldfastError('ERR_HOLDFAST_UNAVAILABLE', `The primary is not available for a ${access}.`, {
      cause: fault?.error,
    })
  }
}
