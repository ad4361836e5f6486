import type { Subscription } from '../backend.ts'
import { within } from './within.ts'

/** A connection that only listens. */
export interface ListeningConnection {
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  ping(): Promise<unknown>
  close(): void
}

/** How to open one: `onMessage` for each message, `onLost` once, when it ends by itself. Rejects, in bounded time, when it cannot be had. */
export type OpenListening = (
  onMessage: (channel: string, message: Buffer) => void,
  onLost: () => void,
) => Promise<ListeningConnection>

type Listener = (message: Buffer) => void

export interface Subscriber {
  subscribe(channel: string, listener: Listener, onGap?: () => void): Promise<Subscription>
  /** Drops the connection; it is opened again for those who still listen. */
  reset(): void
  close(): void
}

/** How often an idle connection is asked whether it still lives: nothing else would tell. */
const heartbeat = 5_000
/** How long it may take to answer; node-redis has no timeout of its own for that. */
const patience = 1_500
const retryAfter = 250

/** Creates a subscriber: one connection, opened when first needed, for all channels, and opened again when it is lost. */
export function createSubscriber(open: OpenListening): Subscriber {
  /** The listeners of each channel, and what each of them wants to be told of a gap by. */
  const channels = new Map<string, Map<Listener, (() => void) | undefined>>()
  let connection: Promise<ListeningConnection> | undefined
  let beat: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function connect(): Promise<ListeningConnection> {
    if (connection) return connection
    const opening = open(hear, () => lose(opening))
    connection = opening
    opening.then(
      (opened) => {
        if (connection !== opening) return opened.close()
        beat = setInterval(() => void prove(opened, opening), heartbeat).unref()
        for (const channel of channels.keys()) {
          opened.subscribe(channel).then(
            () => tellGap(channel),
            () => lose(opening),
          )
        }
      },
      () => lose(opening),
    )
    return opening
  }

  async function prove(opened: ListeningConnection, opening: Promise<ListeningConnection>): Promise<void> {
    await within(patience, 'The heartbeat', opened.ping()).catch(() => lose(opening))
  }

  function hear(channel: string, message: Buffer): void {
    for (const listener of channels.get(channel)?.keys() ?? []) listener(message)
  }

  function tellGap(channel: string): void {
    for (const onGap of channels.get(channel)?.values() ?? []) onGap?.()
  }

  function lose(lost: Promise<ListeningConnection>): void {
    if (connection !== lost) return
    connection = undefined
    clearInterval(beat)
    lost.then(
      (opened) => opened.close(),
      () => undefined,
    )
    clearTimeout(retry)
    if (!closed && channels.size > 0) {
      retry = setTimeout(
        () => void connect().catch(() => undefined),
        retryAfter * (0.8 + 0.4 * Math.random()),
      ).unref()
    }
  }

  return {
    async subscribe(channel, listener, onGap) {
      if (closed) throw new Error('Connection is closed.')
      const opened = await connect()
      const listeners = channels.get(channel) ?? new Map<Listener, (() => void) | undefined>()
      channels.set(channel, listeners.set(listener, onGap))
      try {
        // Asked even where the channel is subscribed to already: that may still be under way.
        await opened.subscribe(channel)
      } catch (error) {
        await forget(channel, listener)
        throw error
      }
      return { close: () => forget(channel, listener) }
    },
    reset() {
      if (connection) lose(connection)
    },
    close() {
      closed = true
      clearTimeout(retry)
      if (connection) lose(connection)
    },
  }

  async function forget(channel: string, listener: (message: Buffer) => void): Promise<void> {
    const listeners = channels.get(channel)
    if (!listeners?.delete(listener) || listeners.size > 0) return
    channels.delete(channel)
    const opened = await connection?.catch(() => undefined)
    // The connection may be gone by now, and the subscription with it.
    await opened?.unsubscribe(channel).catch(() => undefined)
  }
}
