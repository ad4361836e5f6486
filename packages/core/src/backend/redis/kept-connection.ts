import type { Milliseconds } from '../../units.ts'
import type { ConnectionState } from './connection-state.ts'
import { within } from './within.ts'

/** A connection that only hears; what it hears is nobody's answer. */
export interface HearingConnection {
  ping(): Promise<unknown>
  close(): void
}

/**
 * Keeps one connection: opened when it is wanted, asked now and then whether it lives, and opened again when it is lost.
 *
 * It lives no longer than the connection of the commands, and is opened after it. Where a name or a balancer leads to another
 * server from now on, an older one may stay at the server before: alive, answering, and deaf to all that happens.
 */
export interface KeptConnection<C extends HearingConnection> {
  /** The one there is, or that is being opened. */
  current(): Promise<C> | undefined
  /** Gives it, opened where there is none; rejects, in bounded time, where it cannot be had, and at once where commands cannot be sent. */
  connect(): Promise<C>
  /** Opens it soon; the one there is gives way to it. */
  renewSoon(): void
  /** Asks whether it lives, and drops it if not. What was told before has arrived then. */
  prove(): Promise<boolean>
  close(): void
}

/** The state of the connection that commands are sent on. */
export type CommandsState = Pick<ConnectionState, 'isReady' | 'offlineError' | 'watch'>

export interface KeptConnectionOptions<C> {
  readonly commands: CommandsState
  /** `onLost` is called once, when the connection ends by itself. What is not open yet when `signal` tells is given up, and rejects. */
  readonly open: (onLost: () => void, signal: AbortSignal) => Promise<C>
  readonly isWanted: () => boolean
  /** It can be used; `drop` drops this very one. */
  readonly onOpened: (opened: C, drop: () => void) => void
  /** It was open, and is no more. */
  readonly onLost?: () => void
  /** It lives, and has told of all there was; by the end of so many milliseconds that is known again, or it is lost. */
  readonly onProved: (holdsFor: Milliseconds) => void
  /** How long to wait after it could not be opened; `undefined`: as ever. */
  readonly pauseAfter?: (error: unknown) => Milliseconds | undefined
}

/** How often an idle connection is asked whether it still lives: nothing else would tell. */
const heartbeat: Milliseconds = 5_000
/** How long it may take to open, and to answer: a frozen server accepts a connection and says nothing. */
const patience: Milliseconds = 1_500
const retryAfter: Milliseconds = 250

/**
 * For how long the answer to what was asked at a time proves that the connection lives: by then there is another, or it is lost. Not
 * from when the answer was read: it may have waited, in a process that was stopped.
 */
export function holdsSince(askedAt: number): Milliseconds {
  return askedAt + heartbeat + patience - Date.now()
}

export function keepConnection<C extends HearingConnection>(
  options: KeptConnectionOptions<C>,
): KeptConnection<C> {
  const { commands } = options
  let connection: Promise<C> | undefined
  let opened: C | undefined
  let giveUp = ignore
  let beat: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function connect(): Promise<C> {
    if (connection) return connection
    if (!commands.isReady()) return Promise.reject(commands.offlineError())
    const askedAt = Date.now()
    const giving = new AbortController()
    const opening = options.open(() => lose(opening), giving.signal)
    const timer = setTimeout(() => lose(opening), patience)
    connection = opening
    giveUp = () => {
      clearTimeout(timer)
      giving.abort()
    }
    opening.then(
      (ready) => {
        if (connection !== opening) return ready.close()
        clearTimeout(timer)
        opened = ready
        beat = setInterval(() => void prove(), heartbeat).unref()
        options.onProved(holdsSince(askedAt))
        options.onOpened(ready, () => lose(opening))
      },
      (error: unknown) => lose(opening, options.pauseAfter?.(error)),
    )
    return opening
  }

  async function prove(): Promise<boolean> {
    const [asked, proving] = [opened, connection]
    if (!asked || !proving) return false
    const askedAt = Date.now()
    try {
      await within(patience, 'The heartbeat', asked.ping())
      if (opened !== asked) return false
      options.onProved(holdsSince(askedAt))
      return true
    } catch {
      lose(proving)
      return false
    }
  }

  function lose(lost: Promise<C>, pause: Milliseconds = retryAfter): void {
    if (connection !== lost) return
    connection = undefined
    clearInterval(beat)
    giveUp()
    if (opened) {
      opened = undefined
      options.onLost?.()
    }
    lost.then(
      (ready) => ready.close(),
      () => undefined,
    )
    schedule(pause)
  }

  function schedule(pause: Milliseconds): void {
    clearTimeout(retry)
    if (!closed) retry = setTimeout(reconnect, pause * (0.8 + 0.4 * Math.random())).unref()
  }

  function reconnect(): void {
    if (options.isWanted()) connect().catch(() => undefined)
  }

  const unwatch = commands.watch(({ status }) => {
    if (status === 'ready') reconnect()
    else if (connection) lose(connection)
  })

  return {
    current: () => connection,
    connect,
    renewSoon() {
      if (connection) lose(connection, 0)
      else schedule(0)
    },
    prove,
    close() {
      closed = true
      unwatch()
      clearTimeout(retry)
      if (connection) lose(connection)
    },
  }
}

function ignore(): void {}
