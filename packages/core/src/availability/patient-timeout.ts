import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

const mostTicks = 10
const shortestTick: Milliseconds = 20

/**
 * Calls back after `ms` in which the event loop ran: it counts ticks, and one that comes late counts once. Timers run before the sockets
 * are read, so what came meanwhile has its turn first. So what answers in time is not given up because this process was busy or stood still.
 */
export function setPatientTimeout(clock: Clock, callback: () => void, ms: Milliseconds): Timer {
  const ticks = Math.max(1, Math.min(mostTicks, Math.floor(ms / shortestTick)))
  let left = ticks
  let isCancelled = false
  let timer = clock.setTimeout(onTick, ms / ticks)

  function onTick(): void {
    if (--left > 0) timer = clock.setTimeout(onTick, ms / ticks)
    else setImmediate(() => !isCancelled && callback())
  }

  return {
    cancel() {
      isCancelled = true
      timer.cancel()
    },
  }
}
