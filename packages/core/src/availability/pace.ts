import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'
import type { Fault } from './classify.ts'

/** How long to wait before the next probe: longer from one to the next, for as long as one outage lasts. */
export interface Pace {
  /** An outage begins. */
  begin(): void
  next(fault: Fault | undefined): Milliseconds
}

export interface PaceOptions {
  readonly probe: { readonly min: Milliseconds; readonly max: Milliseconds }
  readonly clock: Clock
  readonly random: () => number
}

/** How long misconfiguration is probed at the ordinary pace, before only every {@link slowProbe}. */
const misconfiguredPatience = 60_000
const slowProbe = 5_000

export function createPace({ probe: { min, max }, clock, random }: PaceOptions): Pace {
  let begun = clock.now()
  let attempt = 0

  return {
    begin() {
      begun = clock.now()
      attempt = 0
    },
    next(fault) {
      const isSlow = fault?.kind === 'misconfigured' && clock.now() - begun > misconfiguredPatience
      const pause = isSlow ? slowProbe : Math.min(min * 2 ** Math.min(attempt, 20), max)
      attempt++
      return pause * (0.8 + 0.4 * random())
    },
  }
}
