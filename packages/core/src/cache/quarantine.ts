import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/**
 * Right after an outage another process may still be on its way to tell the primary what it removed meanwhile. For this long
 * entries from before the recovery do not count, as if the outage had lasted that much longer.
 */
export interface Quarantine {
  /** The outage is over now. */
  begin(): void
  /** Whether an entry with this revision does not count now. */
  holds(revision: number): boolean
  /** Whether there is one now. */
  isOn(): boolean
}

export function createQuarantine(length: Milliseconds, clock: Clock): Quarantine {
  let recoveredAt = 0
  let until = 0

  function isOn(): boolean {
    if (until === 0) return false
    if (clock.now() < until) return true
    until = 0
    return false
  }

  return {
    begin() {
      recoveredAt = clock.now()
      until = recoveredAt + length
    },
    isOn,
    holds: (revision) => isOn() && revision < recoveredAt,
  }
}
