import type { Backend } from '../../src/backend/backend.ts'
import { createBrowser, type Browser, type Cookies } from './browser.ts'
import { createModelClock, type ModelClock } from './model-clock.ts'
import { createProcess, type Process } from './process.ts'
import { createRandom } from './random.ts'
import { createReference, type PrimaryKnowledge, type Reference } from './reference.ts'
import { browserCount, processCount } from './schedule.ts'
import { createSharedPrimary, type PrimaryCopy, type SharedPrimary } from './shared-primary.ts'

/** Everything that a schedule happens to. */
export interface World {
  readonly clock: ModelClock
  readonly random: () => number
  readonly primary: SharedPrimary
  readonly processes: readonly Process[]
  readonly browsers: readonly Browser[]
  readonly reference: Reference
  /** Cookies that were copied from a browser. */
  readonly stolen: Cookies[]
  /** What the primary was, step by step, the last one first. */
  readonly past: { readonly primary: PrimaryCopy; readonly known: PrimaryKnowledge }[]
  /** The processes that hear what is published now. */
  hearing(): number[]
  nextId(): string
  nextValue(): number
  lastValue(): number
  /** What happened, in words, for the reader of a failure. */
  trace(): string[]
  note(text: () => string): void
  stop(): void
}

export function createWorld(seed: number, mutate: (backend: Backend) => Backend): World {
  const clock = createModelClock()
  const random = createRandom(seed)
  const primary = createSharedPrimary(clock.now)
  const reference = createReference(processCount, clock.now)
  const trace: { readonly at: number; readonly text: () => string }[] = []
  const start = clock.now()
  let ids = 0
  let values = 0

  const hearing = (): number[] => processes.flatMap(({ link, index }) => (link.isHearing ? [index] : []))
  const note = (text: () => string): void => void trace.push({ at: clock.now() - start, text })
  const processes: Process[] = Array.from({ length: processCount }, (_, index) =>
    createProcess({
      index,
      primary,
      clock,
      random,
      mutate,
      onMet(met, after) {
        // After a gap it was a moment ago, and who heard it then is not known.
        reference.endings.met(met, after === 'recovery' ? hearing() : [])
        reference.since.met(met, clock.now())
        note(() => `process ${met} has met the primary`)
      },
    }),
  )

  return {
    clock,
    random,
    primary,
    processes,
    browsers: Array.from({ length: browserCount }, (_, index) => createBrowser(index)),
    reference,
    stolen: [],
    past: [],
    hearing,
    nextId: () => `session-${++ids}`,
    nextValue: () => ++values,
    lastValue: () => values,
    trace: () => trace.map(({ at, text }) => `${at} ms: ${text()}`),
    note,
    stop() {
      for (const process of processes) process.stop()
    },
  }
}
