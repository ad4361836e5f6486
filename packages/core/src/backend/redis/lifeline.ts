import { soon } from '../../soon.ts'
import type { ConnectionState } from './connection-state.ts'
import { within } from './within.ts'

/** How to make, connect and destroy one client that does not reconnect by itself. */
export interface Generation<C> {
  /** Makes a client, not connected yet; `onError` takes each of its errors. */
  make(onError: (error: unknown) => void): C
  /** Rejects when it cannot be had. May stay pending: it is given up then. */
  connect(client: C): Promise<unknown>
  /** Ends it at once, and rejects what is in flight on it. Never rejects itself. */
  destroy(client: C): Promise<void>
  /** Whether it can be used still after an error. */
  isUsable(client: C): boolean
}

/** Keeps a client connected by making a new one whenever the last is lost. */
export interface Lifeline<C> {
  /** The client to send on; `undefined` while there is none. */
  client(): C | undefined
  start(): void
  /** Gives up the current client, if there is one, and starts over. */
  renew(): void
  stop(): void
  /** Stops keeping the process alive while there is no connection. */
  loosen(): void
}

/** How long a connection may take, handshake included, in milliseconds: a frozen server accepts it and says nothing. */
const patience = 1_500

/** Creates a lifeline; each of its clients lives for one connection, so nothing of the last can reach into the next. */
export function createLifeline<C>(generation: Generation<C>, state: ConnectionState): Lifeline<C> {
  let current: C | undefined
  let attempting: C | undefined
  let timer: NodeJS.Timeout | undefined
  let attempts = 0
  let running = false
  let loose = false

  function start(): void {
    running = true
    if (current === undefined && attempting === undefined && timer === undefined) attempt()
  }

  function attempt(): void {
    timer = undefined
    const client = generation.make((error) => {
      state.note(error)
      if (client === current && !generation.isUsable(client)) renew()
    })
    attempting = client
    within(patience, 'Connecting to Redis', generation.connect(client)).then(
      () => (attempting === client ? succeed(client) : void generation.destroy(client)),
      (error: unknown) => fail(client, error),
    )
  }

  function succeed(client: C): void {
    attempting = undefined
    current = client
    attempts = 0
    state.announceReady()
  }

  function fail(client: C, error: unknown): void {
    if (attempting !== client) return
    attempting = undefined
    state.note(error)
    void generation.destroy(client)
    again()
  }

  function renew(): void {
    if (current === undefined) return
    const lost = current
    current = undefined
    void generation.destroy(lost)
    again()
  }

  function again(): void {
    state.unready()
    // Not from within the call that asked for it.
    soon(state.announceLost)
    if (!running) return
    timer = setTimeout(attempt, state.pauseBefore(++attempts))
    if (loose) timer.unref()
  }

  return {
    client: () => current,
    start,
    renew,
    stop() {
      running = false
      clearTimeout(timer)
      timer = undefined
      const left = current ?? attempting
      current = undefined
      attempting = undefined
      if (left !== undefined) void generation.destroy(left)
      state.unready()
      soon(state.announceLost)
    },
    loosen() {
      loose = true
      timer?.unref()
    },
  }
}
