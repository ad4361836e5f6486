import { systemClock, type Clock } from '../src/index.ts'

/** The clock of a machine that can sleep: no timer knows for how long. */
export function sleeper(): { readonly clock: Clock; sleep(ms: number): void } {
  let slept = 0
  return {
    clock: { ...systemClock, now: () => Date.now() + slept },
    sleep: (ms) => void (slept += ms),
  }
}
