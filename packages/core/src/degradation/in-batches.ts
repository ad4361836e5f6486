import type { Fault } from '../availability/classify.ts'
import type { Clock } from '../clock.ts'

/** How many travel at once: as few as a whole fleet may send at the same time, and as many as one round trip is worth. */
const fewest = 64
const most = 1_024
/** By how much a batch may take longer than the quickest for more to travel at once. */
const tolerance = 1.5

/**
 * Settles many things, some at a time: more of them while that takes no longer, as it is the distance then that takes the time, and
 * fewer as soon as it does, as it is the primary then. (So does TCP Vegas: Brakmo, O'Malley, Peterson 1994.) Ends with the batch
 * that met a fault, and gives it.
 */
export async function inBatches<T>(
  items: readonly T[],
  clock: Clock,
  settle: (item: T) => Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  let size = fewest
  let quickest = Infinity
  for (let start = 0; start < items.length;) {
    const batch = items.slice(start, start + size)
    const began = clock.now()
    const faults = await Promise.all(batch.map(settle))
    const fault = faults.find(Boolean)
    if (fault) return fault
    start += batch.length
    const took = clock.now() - began
    quickest = Math.min(quickest, took)
    size = took <= quickest * tolerance ? Math.min(size * 2, most) : Math.max(size / 2, fewest)
  }
  return undefined
}
