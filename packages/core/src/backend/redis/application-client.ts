/** What is needed of an application's client to end when it ends. */
interface Emitter {
  readonly status?: string
  on(event: string, listener: (...args: never[]) => void): unknown
  off(event: string, listener: (...args: never[]) => void): unknown
  listenerCount(event: string): number
  /** These two are those of an `EventEmitter`; a stand-in may have none. */
  getMaxListeners?(): number
  setMaxListeners?(limit: number): unknown
}

/** How our connection follows an application's client. */
export interface Follower {
  isReady(): boolean
  end(): void
  begin(): void
  /** Stops keeping the process alive while there is no connection. */
  loosen(): void
}

export interface Fate {
  /** Stops following. */
  release(): void
}

/** Long enough to tell a client that the application ended from one that lost its server, as ours then does too. */
const settleAfter = 50

/**
 * Lets our connection end when the application ends its client, so that the process can exit, and begin again when it
 * does. A client that gave up because its server is away is not followed: ours goes on trying.
 *
 * Also gives the client an `error` listener where it has none, since one is all it takes to keep a process alive. And it raises
 * the client's limit of listeners by ours, as long as they are there: Node warns of a leak from eleven on, and these are none.
 */
export function shareFate(app: object, follower: Follower): Fate {
  const client = app as Emitter
  let ended = false
  let timer: NodeJS.Timeout | undefined

  if (client.listenerCount('error') === 0) client.on('error', () => undefined)

  function onEnd(): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!follower.isReady()) return follower.loosen()
      ended = true
      follower.end()
    }, settleAfter)
  }

  function onBegin(): void {
    clearTimeout(timer)
    if (!ended) return
    ended = false
    follower.begin()
  }

  const listeners: Readonly<Record<string, () => void>> = {
    end: onEnd,
    // A cluster of node-redis calls it so.
    disconnect: onEnd,
    // node-redis gave up by itself.
    terminated: follower.loosen,
    ready: onBegin,
    connect: onBegin,
  }
  raiseLimit(client, 1)
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener)
  return {
    release() {
      clearTimeout(timer)
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener)
      raiseLimit(client, -1)
    },
  }
}

/** Makes room for so many listeners more of each event. A client without a limit, which 0 and `Infinity` stand for, stays so. */
function raiseLimit(client: Emitter, by: number): void {
  const limit = client.getMaxListeners?.() ?? 0
  if (limit > 0) client.setMaxListeners?.(Math.max(1, limit + by))
}
