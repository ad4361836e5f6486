import type { Tracking, TrackingListener } from '../backend.ts'
import { keepConnection, type CommandsState, type HearingConnection } from './kept-connection.ts'

/**
 * Opens a connection that tells of all keys under these prefixes: `onChange` with wire keys, or nothing where any may have changed;
 * `onLost` once, when it ends by itself. Rejects when it cannot be had, or is given up.
 */
export type OpenTracking = (
  prefixes: readonly string[],
  onChange: (keys: readonly string[] | undefined) => void,
  onLost: () => void,
  signal: AbortSignal,
) => Promise<HearingConnection>

export interface Tracker {
  track(prefix: string, listener: TrackingListener): Tracking
  close(): void
}

/** After how long to ask again a Redis that does not know tracking, or does not allow it. */
const refusedRetry = 60_000

/** Creates a tracker: one connection for all prefixes, opened when first needed, and opened again when it is lost. */
export function createTracker(commands: CommandsState, open: OpenTracking): Tracker {
  const listeners = new Map<TrackingListener, string>()
  const connection = keepConnection({
    commands,
    open: (onLost, signal) => open(widest([...listeners.values()]), tell, onLost, signal),
    isWanted: () => listeners.size > 0,
    onOpened: () => tellHearing(true),
    onLost: () => tellHearing(false),
    onProved(holdsFor) {
      for (const listener of listeners.keys()) listener.onProved?.(holdsFor)
    },
    pauseAfter: (error) => (isRefusal(error) ? refusedRetry : undefined),
  })

  function tell(keys: readonly string[] | undefined): void {
    for (const [listener, prefix] of listeners) {
      const own = keys?.filter((key) => key.startsWith(prefix))
      if (own?.length !== 0) listener.onChange(own)
    }
  }

  function tellHearing(isHearing: boolean): void {
    for (const listener of listeners.keys()) listener.onHearing(isHearing)
  }

  return {
    track(prefix, listener) {
      // A connection tracks what it was opened for; a moment later, as caches are often made several at a time.
      connection.renewSoon()
      // Only now: it must not be told that what it never heard is lost, before it even has this call's answer.
      listeners.set(listener, prefix)
      return {
        prove: connection.prove,
        close: () => void listeners.delete(listener),
      }
    },
    close: connection.close,
  }
}

/** Redis refuses prefixes of which one covers another. */
function widest(prefixes: readonly string[]): string[] {
  const unique = [...new Set(prefixes)]
  return unique.filter((prefix) => !unique.some((other) => other !== prefix && prefix.startsWith(other)))
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(ERR|NOPERM)\b/.test(error.message)
}

/** Where Redis tells RESP2 clients of changed keys. */
export const invalidations = '__redis__:invalidate'

/** The command that makes a connection hear of all keys under the prefixes, whoever changes them. */
export function trackingCommand(id: string, prefixes: readonly string[]): [string, ...string[]] {
  return [
    'CLIENT',
    'TRACKING',
    'ON',
    'REDIRECT',
    id,
    'BCAST',
    ...prefixes.flatMap((prefix) => ['PREFIX', prefix]),
  ]
}

/** Gives the keys of a message of Redis: a list of them, or nothing where all were flushed. */
export function changedKeys(message: unknown): readonly string[] | undefined {
  return Array.isArray(message) ? message.map(String) : undefined
}
