import type { Availability } from '../availability/availability.ts'
import type { RecoveryStep } from '../availability/recovery.ts'
import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

export interface KeepSettledOptions {
  readonly availability: Pick<Availability, 'onRecovery' | 'watch' | 'circuit' | 'call'>
  readonly clock: Clock
  readonly settle: RecoveryStep
  readonly isSettled: () => boolean
  /** How long the pause between two tries becomes at most: each is twice the one before. */
  readonly longestPause: Milliseconds
}

/** When what came up while the circuit was closed is tried first. */
const firstPause: Milliseconds = 100

/**
 * Settles on recovery; right after it, what came up meanwhile; and soon, where one call failed and the circuit stayed closed: then
 * no recovery comes to do it. Gives what tells of something to settle.
 */
export function keepSettled(options: KeepSettledOptions): () => void {
  const { availability, clock, settle, isSettled, longestPause } = options
  let isUnderWay = false

  function later(pause: Milliseconds, next: Milliseconds): void {
    if (isUnderWay || isSettled() || availability.circuit().at !== 'closed') return
    isUnderWay = true
    clock.setTimeout(() => void settleNow(next), pause)
  }

  async function settleNow(next: Milliseconds): Promise<void> {
    if (availability.circuit().at === 'closed')
      await settle({ call: (operation) => availability.call('write', operation) })
    isUnderWay = false
    later(next, Math.min(next * 2, longestPause))
  }

  availability.onRecovery(settle)
  availability.watch(({ at }) => at === 'closed' && later(0, firstPause))
  return () => later(firstPause, Math.min(firstPause * 2, longestPause))
}
