import { channel } from 'node:diagnostics_channel'
import type { Milliseconds } from './units.ts'

/** Whether Redis answers, does not, or is being settled with before it is trusted again. */
export type State = 'healthy' | 'degraded' | 'recovering'

/** What Holdfast tells about itself. No event holds a key, a session id, a value or a credential. */
export interface HoldfastEvents {
  /** The state changed. */
  transition: {
    readonly from: State
    readonly to: State
    /** What is answered by the degradation rules now; `writes` while reads still reach the primary. */
    readonly degraded: 'nothing' | 'writes' | 'everything'
    /** The fault behind a degraded state: its kind, a code such as `ECONNREFUSED` or `OOM`, and what to do. */
    readonly fault:
      | { readonly kind: string; readonly code: string; readonly hint: string | undefined }
      | undefined
    /** How long the state that ended had lasted, in milliseconds. */
    readonly lasted: Milliseconds
  }
  /**
   * An entry could not be used: `unreadable`, damaged or not of this concern; or an answer was `foreign`, that of another
   * call, and its connection was dropped (`concern` is `any` then).
   */
  entry: { readonly concern: string; readonly problem: 'unreadable' | 'foreign'; readonly reason: string }
  /** The journal was settled with the primary after an outage. */
  settled: {
    readonly concern: string
    /** Decisions that reached the primary. */
    readonly applied: number
    /** Decisions that gave way to something newer in the primary. */
    readonly superseded: number
    /** Whether the primary came back without the data it had. */
    readonly dataLost: boolean
  }
  /** A session met something out of the ordinary. Never says whose, or which one. */
  session: {
    /**
     * `restored`: Redis had lost it, and its token brought it back. `completed`: Redis had an older one than the token.
     * `served`: Redis is away, and the token stood in. `refused`: a token counted as absent. `ended`: a session that was ended
     * before was asked for. `omitted`: a token could not be set, as it would be too long for a cookie.
     */
    readonly outcome: 'restored' | 'completed' | 'served' | 'refused' | 'ended' | 'omitted'
    /** Why, such as `expired`, `does not open`, `evicted or lost`. */
    readonly reason: string
  }
  /** A cache answered other than it should, and no call failed. Never says which key. */
  cache: {
    /** `stale`: a value in its grace was served. `unstored`: a value was made and could not be stored. */
    readonly outcome: 'stale' | 'unstored'
    readonly reason: string
  }
  /** The journal was full, so the oldest decision was dropped. */
  overflow: { readonly concern: string; readonly dropped: number }
}

type Listener<Name extends keyof HoldfastEvents> = (event: HoldfastEvents[Name]) => unknown

/** Passes events to listeners and to the `diagnostics_channel` named `holdfast:<event>`. */
export interface Events {
  /** Listens to an event; gives a function that stops it. A listener that throws or rejects harms nobody. */
  on<Name extends keyof HoldfastEvents>(name: Name, listener: Listener<Name>): () => void
  emit<Name extends keyof HoldfastEvents>(name: Name, event: HoldfastEvents[Name]): void
}

const channels = {
  transition: channel('holdfast:transition'),
  entry: channel('holdfast:entry'),
  settled: channel('holdfast:settled'),
  session: channel('holdfast:session'),
  cache: channel('holdfast:cache'),
  overflow: channel('holdfast:overflow'),
}

/** Creates the events of one Holdfast. `onListenerError` hears what a listener threw or rejected with. */
export function createEvents(onListenerError: (error: unknown) => void): Events {
  const listeners = new Map<keyof HoldfastEvents, Set<(event: never) => void>>()
  return {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      return () => set.delete(listener)
    },
    emit(name, event) {
      channels[name].publish(event)
      for (const listener of listeners.get(name) ?? []) {
        runGuarded(() => listener(event as never), onListenerError)
      }
    },
  }
}

/** Calls what is the application's; what it throws, or rejects with where it is async, goes to `onError` alone. */
export function runGuarded(action: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = action()
    if (typeof result === 'object') Promise.resolve(result).catch(onError)
  } catch (error) {
    onError(error)
  }
}
