import type { Clock } from '../clock.ts'
import { HoldfastError } from '../errors.ts'
import type { Milliseconds } from '../units.ts'
import type { Counters } from './statistics.ts'

/** What a factory gets. */
export interface FactoryContext<T = unknown> {
  /** Aborted when the hard timeout has passed, or the cache is closed: nobody waits any more. */
  readonly signal: AbortSignal
  /** The value that is past its ttl, where there is one. */
  readonly stale: T | undefined
}

/** Makes a value, from the database or wherever it comes from. `undefined`: there is none. */
export type Factory<T> = (context: FactoryContext<T>) => T | Promise<T>

/** Runs factories, bounded in time, and counts them. */
export interface Factories {
  run<T>(
    factory: Factory<T>,
    options: { readonly stale: T | undefined; readonly hardTimeout: Milliseconds },
  ): Promise<T>
  /** Aborts all that run. */
  close(): void
}

export function createFactories(counters: Counters, clock: Clock): Factories {
  const running = new Set<AbortController>()
  let closed: HoldfastError | undefined
  return {
    run: (factory, { stale, hardTimeout }) =>
      new Promise((resolve, reject) => {
        const abort = new AbortController()
        const began = clock.now()
        const timer = hardTimeout === Infinity ? undefined : clock.setTimeout(giveUp, hardTimeout)
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
          const error = new HoldfastError(
            'ERR_HOLDFAST_FACTORY_TIMEOUT',
            `The factory took longer than ${hardTimeout} ms.`,
          )
          abort.abort(error)
          reject(error)
        }
        function fail(error: unknown): void {
          if (!end()) return
          counters.errors++
          reject(error as Error)
        }

        try {
          Promise.resolve(factory({ signal: abort.signal, stale })).then((value) => {
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
