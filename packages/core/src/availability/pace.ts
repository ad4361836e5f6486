import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'
import type { Fault } from './classify.ts'

/** How long to wait before the next probe: longer from one to the next, for as long as one outage lasts. */
export interface Pace {
  /** An outage begins, or the last one goes on: if that had not been over for long, the pace is kept. */
  begin(): void
  /** The primary is trusted again. */
  end(): void
  next(fault: Fault | undefined): Milliseconds
}

export interface PaceOptions {
  readonly probe: { readonly min: Milliseconds; readonly max: Milliseconds }
  readonly clock: Clock
  readonly random: () => number
}

/** How long a return has to last, to be one. */
const returnLasts = 1_000
/** How long misconfiguration is probed at the ordinary pace, before only every {@link slowProbe}. */
const misconfiguredPatience = 60_000
/** How often one may be trusted meanwhile that refuses us again at once: it serves the probe, and not what we are here for. */
const relapsesAllowed = 3
const slowProbe = 5_000

export function createPace({ probe: { min, max }, clock, random }: PaceOptions): Pace {
  let begun = clock.now()
  let ended = -Infinity
  let attempt = 0
  let relapses = 0

  function isPatient(): boolean {
    return clock.now() - begun <= misconfiguredPatience && relapses <= relapsesAllowed
  }

  return {
    begin() {
      if (clock.now() - ended < returnLasts) return void relapses++
      begun = clock.now()
      attempt = 0
      relapses = 0
    },
    end() {
      ended = clock.now()
    },
    next(fault) {
      const isSlow = fault?.kind === 'misconfigured' && !isPatient()
      const pause = isSlow ? slowProbe : Math.min(min * 2 ** Math.min(attempt, 20), max)
      attempt++
      return pause * (0.8 + 0.4 * random())
    },
  }
}
