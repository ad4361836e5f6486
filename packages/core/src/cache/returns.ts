import type { Availability } from '../availability/availability.ts'

/**
 * Calls back whenever the primary is trusted again after its connection was lost, also where that was no outage for this process:
 * it may have been one for another. Gives a function that stops it.
 */
export function watchReturns(availability: Availability, onReturn: () => void): () => void {
  let wasLost = false
  return availability.watch(({ at }) => {
    if (at === 'open' || at === 'reconnecting') wasLost = true
    if (at !== 'closed' || !wasLost) return
    wasLost = false
    onReturn()
  })
}
