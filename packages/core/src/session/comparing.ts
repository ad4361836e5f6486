import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/** When two sides are compared: now and then, soon where something hints at a gap, and again where it failed. */
export interface Comparing {
  soon(delay?: Milliseconds): void
  /** Compares now; tells whether it could. Who asks while others do shares their comparison, unless it has begun already. */
  fresh(): Promise<boolean>
  close(): void
}

export interface ComparingOptions {
  readonly clock: Clock
  /** Gives how much there was to compare, or `undefined` where it failed. Never rejects. */
  readonly compare: () => Promise<number | undefined>
  /** Whether there is somebody to ask now. Where there is not, recovery compares. */
  readonly isPossible: () => boolean
}

const soonAfter: Milliseconds = 50
const firstRetry: Milliseconds = 100
const lastRetry: Milliseconds = 2_000
/** How often nothing hints at a gap, per thousand that are compared: so much a process may ask for all day long. */
const perThousand: Milliseconds = 30_000
const longestPause: Milliseconds = 300_000
/** For how long a comparison is good enough for those who ask, per thousand that were compared. */
const goodPerThousand: Milliseconds = 10

export function createComparing({ clock, compare, isPossible }: ComparingOptions): Comparing {
  let timer: Timer | undefined
  let due = Infinity
  let isClosed = false
  let failures = 0
  let running: Promise<boolean> | undefined
  let following: Promise<boolean> | undefined
  /** Many who ask where there is much to compare must not keep Redis busy with nothing else. */
  let goodUntil = 0

  function soon(delay = soonAfter): void {
    const at = clock.now() + delay
    if (isClosed || at >= due) return
    timer?.cancel()
    due = at
    timer = clock.setTimeout(tick, delay)
  }

  function tick(): void {
    due = Infinity
    if (isPossible()) void next()
    else soon(perThousand)
  }

  /** One that is under way may have read past what is asked for. */
  function next(): Promise<boolean> {
    if (following) return following
    if (!running) return run()
    following = running.then(() => {
      following = undefined
      return run()
    })
    return following
  }

  function run(): Promise<boolean> {
    const begun = clock.now()
    timer?.cancel()
    due = Infinity
    running = compare().then((size) => {
      running = undefined
      const isDone = size !== undefined
      failures = isDone ? 0 : failures + 1
      if (isDone) goodUntil = begun + Math.floor((size / 1_000) * goodPerThousand)
      soon(isDone ? pauseAfter(size) : Math.min(firstRetry * 2 ** (failures - 1), lastRetry))
      return isDone
    })
    return running
  }

  soon(perThousand)

  return {
    soon,
    fresh: () => (clock.now() < goodUntil ? Promise.resolve(true) : next()),
    close() {
      isClosed = true
      timer?.cancel()
    },
  }
}

function pauseAfter(size: number): Milliseconds {
  return Math.min(Math.max(1, Math.ceil(size / 1_000)) * perThousand, longestPause)
}
