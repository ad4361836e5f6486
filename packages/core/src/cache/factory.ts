import type { Clock } from '../clock.ts'
import { HoldfastError } from '../errors.ts'
import { setPatientTimeout } from '../availability/patient-timeout.ts'
import type { Milliseconds } from '../units.ts'
import type { Counters } from './statistics.ts'

/** What a factory gets. */
export interface FactoryContext<T = unknown> {
  /** Aborted when the hard timeout has passed, or the cache is closed: nobody waits any more. */
  readonly signal: AbortSignal
  /** The value that is past its ttl, where there is one. */
  readonly stale: T | undefined
}

/**
 * Makes a value, from the database or wherever it comes from. `undefined`: there is none. What it gets has a type of its own:
 * with `T` there, TypeScript could not tell `T` from what a function gives that takes its context.
 */
export type Factory<T, Stale = T> = (context: FactoryContext<Stale>) => T | Promise<T>

/** Runs factories, bounded in time, and counts them. */
export interface Factories {
  run<T>(
    factory: Factory<T>,
    options: {
      readonly stale: T | undefined
      readonly hardTimeout: Milliseconds
      /** Called once when the factory is over, which may be long after its hard timeout. */
      readonly onOver: () => void
    },
  ): Promise<T>
  /** Aborts all that run. */
  close(): void
}

/** By then a factory that does not heed its signal is taken for lost. */
const lostAfter: Milliseconds = 60_000

export function createFactories(counters: Counters, clock: Clock): Factories {
  const running = new Set<AbortController>()
  let closed: HoldfastError | undefined
  return {
    run: (factory, { stale, hardTimeout, onOver }) =>
      new Promise((resolve, reject) => {
        const abort = new AbortController()
        const began = clock.now()
        const timer = hardTimeout === Infinity ? undefined : setPatientTimeout(clock, giveUp, hardTimeout)
        let isOver = false
        running.add(abort)
        if (closed) abort.abort(closed)
        counters.calls++

        function end(): boolean {
          if (isOver) return false
          isOver = true
          timer?.cancel()
          running.delete(abort)
          counters.time += clock.now() - began
          return true
        }
        function giveUp(): void {
          if (!end()) return
          counters.timeouts++
          const error = tooLong(hardTimeout)
          abort.abort(error)
          reject(error)
          clock.setTimeout(onOver, lostAfter)
        }
        function fail(error: unknown): void {
          onOver()
          if (!end()) return
          counters.errors++
          reject(error as Error)
        }

        try {
          Promise.resolve(factory({ signal: abort.signal, stale })).then((value) => {
            onOver()
            end()
            resolve(value)
          }, fail)
        } catch (error) {
          fail(error)
        }
      }),
    close() {
      closed = new HoldfastError('ERR_HOLDFAST_CLOSED', 'This Holdfast is closed.')
      for (const abort of running) abort.abort(closed)
    },
  }
}

/** The error for a caller whose hard timeout has passed. */
export function tooLong(hardTimeout: Milliseconds): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_FACTORY_TIMEOUT', `The factory took longer than ${hardTimeout} ms.`)
}
