import type { Clock, Timer } from '../../src/clock.ts'

/** A clock for many schedules: it stands still until it is moved, and one turn of the event loop settles what a timer set going. */
export interface ModelClock {
  now(): number
  setTimeout(callback: () => void, ms: number): Timer
  /** A process' view of it; its timers end with the process. */
  ofProcess(): ProcessClock
  /** Moves on by `ms`, firing due timers in order. */
  advance(ms: number): Promise<void>
  /** Moves on from timer to timer until it is so, for at most `ms`; tells whether it is. */
  until(isSo: () => boolean, ms: number): Promise<boolean>
}

export interface ProcessClock extends Clock {
  stop(): void
}

interface Entry extends Timer {
  readonly at: number
  readonly callback: () => void
}

export function createModelClock(start = 1_700_000_000_000): ModelClock {
  let now = start
  let timers: Entry[] = []

  function setTimer(callback: () => void, ms: number): Timer {
    const entry: Entry = {
      at: now + Math.max(0, ms),
      callback,
      cancel: () => void (timers = timers.filter((timer) => timer !== entry)),
    }
    timers.push(entry)
    return entry
  }

  function nextBefore(limit: number): Entry | undefined {
    let next: Entry | undefined
    for (const timer of timers) if (timer.at <= limit && (!next || timer.at < next.at)) next = timer
    return next
  }

  function fire(timer: Entry): void {
    timer.cancel()
    now = Math.max(now, timer.at)
    timer.callback()
  }

  return {
    now: () => now,
    setTimeout: setTimer,
    ofProcess() {
      let isStopped = false
      return {
        now: () => now,
        setTimeout: (callback, ms) => setTimer(() => isStopped || callback(), ms),
        stop: () => void (isStopped = true),
      }
    },
    async advance(ms) {
      const limit = now + ms
      await turn()
      for (let timer = nextBefore(limit); timer; timer = nextBefore(limit)) {
        fire(timer)
        await turn()
      }
      now = limit
    },
    async until(isSo, ms) {
      const limit = now + ms
      await turn()
      while (!isSo()) {
        const timer = nextBefore(limit)
        if (timer) fire(timer)
        await turn()
        if (!timer) return isSo()
      }
      return true
    },
  }
}

/** All that needs no timer runs before this: promises, and what they put off by one `setImmediate`. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
