import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/**
 * Right after an outage another process may still be on its way to tell the primary what it removed meanwhile. For this long, and
 * for as long as one says that it is at it, entries from before the recovery do not count, as if the outage had lasted that much
 * longer.
 */
export interface Quarantine {
  /** The outage is over now. */
  begin(): void
  /** Whether an entry with this revision does not count now. */
  holds(revision: number): boolean
  /** Whether there is one now. */
  isOn(): boolean
  close(): void
}

/** When to ask whether it has to last longer, as a share of its length: in time for the answer. */
const askAfter = 0.8
/** How long it is prolonged at most: clocks may differ, and who is waited for may be gone. */
const longest: Milliseconds = 30_000

/** Creates the quarantine of one cache. `areOthersSettling` is asked shortly before it ends. */
export function createQuarantine(options: {
  readonly length: Milliseconds
  readonly clock: Clock
  readonly areOthersSettling: () => Promise<boolean>
}): Quarantine {
  const { length, clock } = options
  let recoveredAt = 0
  let until = 0
  let timer: Timer | undefined

  function isOn(): boolean {
    if (until === 0) return false
    if (clock.now() < until) return true
    until = 0
    return false
  }

  function lastFrom(now: number): void {
    timer?.cancel()
    const end = now + length
    if (length === 0 || end - recoveredAt > longest) {
      until = end
      return
    }
    // It does not end before the answer is there, however late this process gets to asking.
    until = recoveredAt + longest
    timer = clock.setTimeout(() => void prolong(end), length * askAfter)
  }

  async function prolong(end: number): Promise<void> {
    const mine = timer
    const areThere = await options.areOthersSettling()
    if (timer !== mine) return
    if (areThere) lastFrom(clock.now())
    else until = end
  }

  return {
    begin() {
      recoveredAt = clock.now()
      lastFrom(recoveredAt)
    },
    isOn,
    holds: (revision) => isOn() && revision < recoveredAt,
    close() {
      timer?.cancel()
      timer = undefined
    },
  }
}
