import type { ConnectionChange } from '../backend.ts'
import type { Milliseconds } from '../../units.ts'
import { backoff } from './ioredis-options.ts'
import { withoutArguments } from './replies.ts'

/** Keeps whether a connection is usable and why it is not, and tells those who watch. */
export interface ConnectionState {
  /** Commands can be written now: connected, authenticated, on the right database. */
  isReady(): boolean
  /** What a command is rejected with while there is no connection: the reason, where one is known. */
  offlineError(): Error
  /** Keeps the client's last error: it says why the connection is lost, which the loss itself does not. */
  note(error: unknown): void
  announceReady(): void
  /** One of several servers is gone, or another one. */
  announceChange(): void
  /** How long to wait before a try to connect: not for long, but where we are refused, which an operator has to mend. */
  pauseBefore(attempt: number): Milliseconds
  /** We are about to drop the connection: nothing is sent on it from now on. The loss is still to be announced. */
  unready(): void
  /** Tells that the connection is lost, once per loss and cause. */
  announceLost(): void
  watch(listener: (change: ConnectionChange) => void): () => void
  /** We end the connection ourselves: it is not ready any more, and nobody is told. */
  close(): void
}

/** How often to try as soon as ever with credentials that are refused: about a minute. Each try is an entry in the server's log. */
const refusalsAtOnce = 240
const slowRetry: Milliseconds = 5_000

/** Creates the state of a connection that is not ready yet. */
export function createConnectionState(): ConnectionState {
  const listeners = new Set<(change: ConnectionChange) => void>()
  let ready = false
  let closed = false
  let cause: Error | undefined
  let announced: string | undefined
  let refusals = 0

  function tell(change: ConnectionChange): void {
    for (const listener of [...listeners]) listener(change)
  }

  return {
    isReady: () => ready,
    offlineError: () =>
      cause ?? Object.assign(new Error('There is no connection to Redis.'), { code: 'OFFLINE' }),
    note(error) {
      if (!(error instanceof Error) || closed) return
      cause = withoutArguments(error)
      refusals = /^WRONGPASS|invalid password/i.test(error.message) ? refusals + 1 : 0
    },
    announceReady() {
      if (ready || closed) return
      ready = true
      refusals = 0
      cause = undefined
      announced = undefined
      tell({ status: 'ready' })
    },
    announceChange() {
      if (ready) tell({ status: 'ready' })
    },
    pauseBefore: (attempt) => backoff(attempt) + (refusals > refusalsAtOnce ? slowRetry : 0),
    unready() {
      ready = false
    },
    announceLost() {
      const reason = cause ? `${(cause as { code?: string }).code} ${cause.message}` : ''
      if (closed || (!ready && announced === reason)) return
      ready = false
      announced = reason
      tell({ status: 'lost', cause })
    },
    watch(listener) {
      listeners.add(listener)
      if (ready) listener({ status: 'ready' })
      return () => void listeners.delete(listener)
    },
    close() {
      listeners.clear()
      ready = false
      closed = true
      cause = Object.assign(new Error('The connection to Redis was closed.'), { code: 'CLOSED' })
    },
  }
}
