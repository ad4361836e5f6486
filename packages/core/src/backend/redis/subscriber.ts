import type { HearingListener, Subscription } from '../backend.ts'
import { keepConnection, holdsSince, type CommandsState, type HearingConnection } from './kept-connection.ts'

/** A connection that only listens. */
export interface ListeningConnection extends HearingConnection {
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

/** How to open one: `onMessage` for each message, `onLost` once, when it ends by itself. Rejects when it cannot be had, or is given up. */
export type OpenListening = (
  onMessage: (channel: string, message: Buffer) => void,
  onLost: () => void,
  signal: AbortSignal,
) => Promise<ListeningConnection>

type Listener = (message: Buffer) => void

export interface Subscriber {
  subscribe(channel: string, listener: Listener, hearing?: HearingListener): Promise<Subscription>
  close(): void
}

/** Creates a subscriber: one connection, opened when first needed, for all channels, and opened again when it is lost. */
export function createSubscriber(commands: CommandsState, open: OpenListening): Subscriber {
  /** The listeners of each channel. */
  const channels = new Map<string, Map<Listener, HearingListener>>()
  const connection = keepConnection<ListeningConnection>({
    commands,
    open: (onLost, signal) => open(hear, onLost, signal),
    isWanted: () => channels.size > 0,
    onOpened(opened, drop) {
      for (const channel of channels.keys()) opened.subscribe(channel).then(() => tellGap(channel), drop)
    },
    onLost() {
      for (const hearing of all()) hearing.onLost?.()
    },
    onProved(holdsFor) {
      for (const hearing of all()) hearing.onProved?.(holdsFor)
    },
  })

  function* all(): Iterable<HearingListener> {
    for (const listeners of channels.values()) yield* listeners.values()
  }

  function hear(channel: string, message: Buffer): void {
    const listeners = channels.get(channel)
    if (!listeners) return
    // What a listener does with its bytes is its own affair.
    for (const listener of listeners.keys()) listener(listeners.size === 1 ? message : Buffer.from(message))
  }

  function tellGap(channel: string): void {
    for (const hearing of channels.get(channel)?.values() ?? []) hearing.onGap?.()
  }

  return {
    async subscribe(channel, listener, hearing = {}) {
      const opened = await connection.connect()
      const listeners = channels.get(channel) ?? new Map<Listener, HearingListener>()
      channels.set(channel, listeners.set(listener, hearing))
      const askedAt = Date.now()
      try {
        // Asked even where the channel is subscribed to already: that may still be under way.
        await opened.subscribe(channel)
        hearing.onProved?.(holdsSince(askedAt))
      } catch (error) {
        await forget(channel, listener)
        throw error
      }
      return { close: () => forget(channel, listener) }
    },
    close: connection.close,
  }

  async function forget(channel: string, listener: (message: Buffer) => void): Promise<void> {
    const listeners = channels.get(channel)
    if (!listeners?.delete(listener) || listeners.size > 0) return
    channels.delete(channel)
    const opened = await connection.current()?.catch(() => undefined)
    // The connection may be gone by now, and the subscription with it.
    await opened?.unsubscribe(channel).catch(() => undefined)
  }
}
