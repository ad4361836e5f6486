import type { Availability } from '../availability/availability.ts'
import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/**
 * Right after an outage another process may still be on its way to tell the primary what it removed meanwhile. For this long
 * entries from before the recovery do not count, as if the outage had lasted that much longer.
 */
export interface Quarantine {
  /** Whether an entry with this revision does not count now. */
  holds(revision: number): boolean
  /** Whether there is one now. */
  isOn(): boolean
  close(): void
}

export function createQuarantine(
  length: Milliseconds,
  { availability, clock }: { readonly availability: Availability; readonly clock: Clock },
): Quarantine {
  let wasOpen = false
  let recoveredAt = 0
  let until = 0

  const unwatch = availability.watch(({ at }) => {
    if (at === 'open') wasOpen = true
    if (at !== 'closed' || !wasOpen) return
    wasOpen = false
    recoveredAt = clock.now()
    until = recoveredAt + length
  })

  function isOn(): boolean {
    if (until === 0) return false
    if (clock.now() < until) return true
    until = 0
    return false
  }

  return {
    isOn,
    holds: (revision) => isOn() && revision < recoveredAt,
    close: unwatch,
  }
}
