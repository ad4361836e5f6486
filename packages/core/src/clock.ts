/** A timer that can be called off. */
export interface Timer {
  cancel(): void
}

/** Where Holdfast reads the time and sets its timers; tests pass one they move by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls back once after `ms`. The timer never keeps the process alive by itself. */
  setTimeout(callback: () => void, ms: number): Timer
}

/** Node's timers take what is longer (24.8 days) for no time at all. */
const longest = 2 ** 31 - 1

/** The system's time and timers. */
export const systemClock: Clock = {
  // Looked up each time: tests replace it.
  now: () => Date.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, Math.min(ms, longest))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
