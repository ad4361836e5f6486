import type { FaultName } from './subject.ts'
import type { Check } from './voyage.ts'

/** The promise that is about all the others: no error of the subject goes astray, in any state. */
export const nothingAstray = 'leaves no rejection and no error event unhandled'

/** Watches for errors that nobody handles while a run is under way; gives the result when it is stopped. */
export function watchUnhandled(
  fault: FaultName,
  onResult: (check: Check) => void,
): { stop(): Promise<void> } {
  const began = performance.now()
  const errors: unknown[] = []
  const note = (error: unknown): void => void errors.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  return {
    async stop() {
      // Node reports them a turn late.
      await new Promise((resolve) => void setImmediate(resolve))
      process.off('unhandledRejection', note)
      process.off('uncaughtException', note)
      const at = {
        theme: 'errors',
        name: nothingAstray,
        fault,
        state: 'closed',
        ms: Math.round(performance.now() - began),
      } as const
      onResult(
        errors.length === 0 ? { ...at, status: 'passed' } : { ...at, status: 'failed', error: errors[0] },
      )
    },
  }
}
