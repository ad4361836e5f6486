import type { Tracking, TrackingListener } from '../backend.ts'
import { within } from './within.ts'

/** A connection on which Redis tells of changed keys. */
export interface TrackingConnection {
  ping(): Promise<unknown>
  close(): void
}

/**
 * Opens one that tells of all keys under these prefixes: `onChange` with wire keys, or nothing where any may have changed;
 * `onLost` once, when it ends by itself. Rejects, in bounded time, when it cannot be had.
 */
export type OpenTracking = (
  prefixes: readonly string[],
  onChange: (keys: readonly string[] | undefined) => void,
  onLost: () => void,
) => Promise<TrackingConnection>

export interface Tracker {
  track(prefix: string, listener: TrackingListener): Tracking
  /** Drops the connection; it is opened again for those who still listen. */
  reset(): void
  close(): void
}

/** How often a silent connection is asked whether it still lives: nothing else would tell. */
const heartbeat = 5_000
const patience = 1_500
const retryAfter = 250
/** After how long to ask again a Redis that does not know tracking, or does not allow it. */
const refusedRetry = 60_000

/** Creates a tracker: one connection for all prefixes, opened when first needed, and opened again when it is lost. */
export function createTracker(open: OpenTracking): Tracker {
  const listeners = new Map<TrackingListener, string>()
  let connection: Promise<TrackingConnection> | undefined
  let opened: TrackingConnection | undefined
  let beat: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function connect(): void {
    if (closed || connection || listeners.size === 0) return
    const opening = open(widest([...listeners.values()]), tell, () => lose(opening, retryAfter))
    connection = opening
    opening.then(
      (ready) => {
        if (connection !== opening) return ready.close()
        opened = ready
        beat = setInterval(() => void prove(), heartbeat).unref()
        for (const listener of listeners.keys()) listener.onHearing(true)
      },
      (error: unknown) => lose(opening, isRefusal(error) ? refusedRetry : retryAfter),
    )
  }

  function tell(keys: readonly string[] | undefined): void {
    for (const [listener, prefix] of listeners) {
      const own = keys?.filter((key) => key.startsWith(prefix))
      if (own?.length !== 0) listener.onChange(own)
    }
  }

  async function prove(): Promise<boolean> {
    const [asked, proving] = [opened, connection]
    if (!asked || !proving) return false
    try {
      await within(patience, 'The heartbeat', asked.ping())
      return opened === asked
    } catch {
      lose(proving, retryAfter)
      return false
    }
  }

  function lose(lost: Promise<TrackingConnection>, pause: number): void {
    if (connection !== lost) return
    connection = undefined
    clearInterval(beat)
    if (opened) {
      opened = undefined
      for (const listener of listeners.keys()) listener.onHearing(false)
    }
    lost.then(
      (ready) => ready.close(),
      () => undefined,
    )
    schedule(pause * (0.8 + 0.4 * Math.random()))
  }

  function schedule(pause: number): void {
    clearTimeout(retry)
    if (!closed) retry = setTimeout(connect, pause).unref()
  }

  return {
    track(prefix, listener) {
      // A connection tracks what it was opened for; a moment later, as caches are often made several at a time.
      if (connection) lose(connection, 0)
      else schedule(0)
      // Only now: it must not be told that what it never heard is lost, before it even has this call's answer.
      listeners.set(listener, prefix)
      return {
        prove,
        close: () => void listeners.delete(listener),
      }
    },
    reset() {
      if (connection) lose(connection, retryAfter)
    },
    close() {
      closed = true
      clearTimeout(retry)
      if (connection) lose(connection, retryAfter)
    },
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
