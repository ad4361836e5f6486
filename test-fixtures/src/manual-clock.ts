/** A clock that stands still until a test moves it. */
export interface ManualClock {
  /** In ms since the epoch. */
  now(): number
  setTimeout(callback: () => void, ms: number): { cancel(): void }
  /** Moves on by `ms`, firing due timers in order; what they set going gets its turn in between. */
  advance(ms: number): Promise<void>
  /** Moves on by `ms` as in a process that is stopped: what is due fires when the clock is next advanced. */
  standStill(ms: number): void
}

/** Creates a clock that starts at `start`, in ms since the epoch. */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let now = start
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  return {
    now: () => now,
    setTimeout(callback, ms) {
      const timer = { at: now + Math.max(0, ms), callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    standStill(ms) {
      now += ms
    },
    async advance(ms) {
      const until = now + ms
      for (;;) {
        await turn()
        const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due)
        now = Math.max(now, due.at)
        due.callback()
      }
      now = until
      await turn()
    },
  }
}

/** Lets promises and what they lead to settle. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
