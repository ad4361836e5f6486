import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/**
 * Notices by the clock that this process stood still (frozen, asleep, busy) when the next step of an outage was due, and lets calls wait
 * for that step first. A function that is frozen between its calls would else answer all of them without the primary.
 */
export interface Awakening {
  /** The next step is due in so many milliseconds; `Infinity`: it may take its time. */
  expect(ms: Milliseconds): void
  /** Gives for how long the process stood still, when that turns out; else 0. */
  notice(): Milliseconds
  /** What calls wait for, if they have to. */
  current(): Promise<void> | undefined
  /** It is known how things stand. */
  end(): void
}

/** A step that is late by so much is not late by itself. */
const standstill: Milliseconds = 250

/** Creates it; nobody waits for longer than `patience`. */
export function createAwakening(clock: Clock, patience: Milliseconds): Awakening {
  let dueAt = Infinity
  let waiting: PromiseWithResolvers<void> | undefined
  let timer: Timer | undefined

  function end(): void {
    timer?.cancel()
    waiting?.resolve()
    waiting = undefined
  }

  return {
    expect: (ms) => void (dueAt = clock.now() + ms),
    notice() {
      const late = clock.now() - dueAt
      if (waiting || late <= standstill) return 0
      waiting = Promise.withResolvers()
      timer = clock.setTimeout(end, patience)
      return late
    },
    current: () => waiting?.promise,
    end,
  }
}
