import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/** Bounds how many run at once. */
export interface Limit {
  /**
   * Gives a function that ends the run, at once or when it is its turn; `undefined` where that does not come in time. Who
   * comes while there is no bound runs at once, counts once there is one, and takes along who has waited longest: all at once
   * would be a surge at the very end of an outage.
   * Who is urgent, or becomes it by the function that `onWaiting` is given, goes ahead of the bound: others who run wait for it.
   */
  enter(of: {
    readonly isUrgent: boolean
    readonly onWaiting: (hurry: () => void) => void
  }): Promise<(() => void) | undefined>
}

export interface LimitOptions {
  /** How many run at once. */
  readonly max: number
  /** Whether that holds at present. */
  readonly isOn: () => boolean
  /** How many may wait; those above are turned away at once. */
  readonly waiting: number
  /** How long one waits, in ms. */
  readonly patience: Milliseconds
  readonly clock: Clock
}

interface Waiting {
  readonly admit: (leave: (() => void) | undefined) => void
  readonly timer: Timer
}

export function createLimit({ max, isOn, waiting: places, patience, clock }: LimitOptions): Limit {
  const queue = new Set<Waiting>()
  let running = 0

  function settle(waiting: Waiting, leave: (() => void) | undefined): void {
    if (!queue.delete(waiting)) return
    waiting.timer.cancel()
    waiting.admit(leave)
  }

  function begin(): () => void {
    running++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      running--
      if (running < max) admitNext()
    }
  }

  function admitNext(): void {
    const [next] = queue
    if (next) settle(next, begin())
  }

  return {
    enter({ isUrgent, onWaiting }) {
      if (!isOn()) admitNext()
      if (!isOn() || running < max) return Promise.resolve(begin())
      if (isUrgent) return Promise.resolve(ahead)
      if (queue.size >= places) return Promise.resolve(undefined)
      return new Promise((admit) => {
        const timer = clock.setTimeout(() => settle(waiting, isOn() ? undefined : begin()), patience)
        const waiting: Waiting = { admit, timer }
        queue.add(waiting)
        onWaiting(() => settle(waiting, ahead))
      })
    },
  }
}

/** Who went ahead of the bound takes up no place. */
function ahead(): void {}
