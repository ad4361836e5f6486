import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/** A call under way. It is either met or expires, never both. */
export interface Deadline {
  /** Whether it was met or has expired; false at first. */
  settled: boolean
  /** When it expires; set as it starts. */
  expires: number
  onExpire(): void
}

/**
 * Gives every call the same time to finish, for next to nothing: equal timeouts expire in the order in which they
 * began, so one queue and one timer serve them all, and no call reads the clock.
 */
export interface Deadlines {
  /** Starts the time of a call. */
  start(deadline: Deadline): void
  /** Ends it; `false` if it had expired already. */
  meet(deadline: Deadline): boolean
  /** Expires everything under way now. */
  expireAll(): void
  /** For how long nothing has been under way, to a tenth of the timeout. */
  idleFor(): Milliseconds
}

const ticksPerTimeout = 10
const compactAt = 1024
/** An empty queue keeps up to so many places for those to come. */
const keptAt = 16_384
/** Takes the place of what is over, which would keep its answer alive until the queue is made shorter. */
const over: Deadline = { settled: true, expires: 0, onExpire() {} }

/**
 * Creates deadlines of `timeout` ms. A call expires between `timeout` and `timeout` + 10 %. Time in which the event loop
 * stood still is not counted, and answers that already wait in the socket are read before anything expires: a busy
 * process is not a dead Redis.
 */
export function createDeadlines({ timeout, clock }: { timeout: Milliseconds; clock: Clock }): Deadlines {
  let queue: Deadline[] = []
  let head = 0
  let tail = 0
  let tick = 0
  let timer: Timer | undefined
  let armedAt = 0
  let idleSince = clock.now()

  function onTick(): void {
    timer = undefined
    tick++
    // Timers run before the sockets are read; what arrived meanwhile gets its turn first.
    if (head < tail && queue[head]!.expires <= tick) setImmediate(expire, tick)
    if (head < tail) arm()
    // Not now: the process may have stood still meanwhile.
    else idleSince = armedAt
  }

  function arm(): void {
    if (timer) return
    armedAt = clock.now()
    timer = clock.setTimeout(onTick, timeout / ticksPerTimeout)
  }

  function expire(now: number): void {
    while (head < tail && queue[head]!.expires <= now) {
      const deadline = queue[head]!
      queue[head++] = over
      if (deadline.settled) continue
      deadline.settled = true
      deadline.onExpire()
    }
    trim()
  }

  function trim(): void {
    while (head < tail && queue[head]!.settled) queue[head++] = over
    if (head === tail) {
      head = tail = 0
      if (queue.length > keptAt) queue = []
    } else if (head > compactAt && head * 2 > tail) {
      queue = queue.slice(head, tail)
      tail -= head
      head = 0
    }
  }

  return {
    start(deadline) {
      deadline.expires = tick + ticksPerTimeout + 1
      queue[tail++] = deadline
      if (!timer) arm()
    },
    meet(deadline) {
      if (deadline.settled) return false
      deadline.settled = true
      if (queue[head] === deadline) trim()
      return true
    },
    expireAll() {
      expire(Infinity)
    },
    idleFor: () => (head < tail ? 0 : clock.now() - (timer ? armedAt : idleSince)),
  }
}
