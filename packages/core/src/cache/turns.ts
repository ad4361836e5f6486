import { AsyncLocalStorage } from 'node:async_hooks'
import { HoldfastError } from '../errors.ts'
import type { Milliseconds } from '../units.ts'
import type { Factories, Factory } from './factory.ts'
import type { Limit } from './limit.ts'
import type { Counters } from './statistics.ts'

/** A factory's turn, from the wait for it until there is a value. */
export interface Turn {
  /** Waits for a place, where those are bounded; rejects with `ERR_HOLDFAST_OVERLOADED` where there is none in time. */
  wait(isUrgent: boolean): Promise<void>
  /** Ends that wait: somebody who has a place waits for this turn. */
  hurry(): void
  run<T>(factory: Factory<T>, of: { stale: T | undefined; hardTimeout: Milliseconds }): Promise<T>
  /** There is a value, or none to be had. Its place is free, unless the factory runs on past its hard timeout. */
  end(): void
}

/** Gives factories their turns, and knows which of them wait for which. */
export interface Turns {
  begin(): Turn
  /** Whether a factory that has its turn asks. Throws where that would wait for itself: `turn` is what it asks for. */
  isAsking(turn: Turn | undefined): boolean
}

/** A turn with what the others have to know of it. */
interface Known extends Turn {
  /** The one whose factory asked for this one. */
  readonly within: Known | undefined
  isOver: boolean
}

export function createTurns({
  factories,
  limit,
  counters,
}: {
  readonly factories: Factories
  readonly limit: Limit
  readonly counters: Counters
}): Turns {
  const asking = new AsyncLocalStorage<Known>()

  function isFor(turn: Turn | undefined, inner: Known | undefined): boolean {
    return inner !== undefined && (inner === turn || isFor(turn, inner.within))
  }

  return {
    begin() {
      let leave = ignore
      let hurry = ignore
      let isBusy = false
      const turn: Known = {
        within: asking.getStore(),
        isOver: false,
        async wait(isUrgent) {
          const left = await limit.enter({
            // What a factory needs that has a place must not wait for that place.
            isUrgent: isUrgent || turn.within?.isOver === false,
            onWaiting: (ahead) => (hurry = ahead),
          })
          if (left) {
            leave = left
            return
          }
          counters.refused++
          throw new HoldfastError(
            'ERR_HOLDFAST_OVERLOADED',
            'Redis is away, and as many factories run as may at once.',
          )
        },
        hurry: () => hurry(),
        run(factory, of) {
          isBusy = true
          const onOver = (): void => {
            isBusy = false
            leave()
          }
          return asking.run(turn, () => factories.run(factory, { ...of, onOver }))
        },
        end() {
          turn.isOver = true
          if (!isBusy) leave()
        },
      }
      return turn
    },
    isAsking(turn) {
      const inner = asking.getStore()
      if (!inner || inner.isOver) return false
      if (!turn || !isFor(turn, inner)) return true
      throw new HoldfastError('ERR_HOLDFAST_OPTION', 'Option "factory" must not wait for its own key.')
    },
  }
}

function ignore(): void {}
