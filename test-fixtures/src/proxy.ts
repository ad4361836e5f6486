import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { createLink, resetLink, type Conditions, type Link } from './proxy-link.ts'

/** A TCP proxy on loopback whose connections can be broken in the ways that networks break them. */
export interface Proxy {
  readonly port: number
  readonly url: string
  /** Clients that are connected now. */
  readonly connections: number
  /** Resets all connections and refuses new ones (ECONNREFUSED). */
  refuse(): Promise<void>
  /** Resets all connections, and each new one as soon as it is there (ECONNRESET). */
  cut(): void
  /** Resets all connections once; new ones are served. */
  reset(): void
  /** Ends all connections once, on both sides and in the orderly way; new ones are served. */
  fin(): void
  /** Ends only the direction towards the clients, once; what they send still reaches the server. */
  halfClose(): void
  /**
   * Swallows all bytes in both directions, and the news of closed connections too. What was swallowed is never
   * delivered: the connections that lost something are reset by {@link Proxy.restore}, for no TCP stream goes on with a
   * hole in it.
   */
  blackhole(): void
  /** Delays each direction by `ms`, give or take `jitter`, in order. */
  delay(ms: number, jitter?: number): void
  /** Lets so many bytes a second through, in each direction of each connection. */
  throttle(bytesPerSecond: number): void
  /** Sends bytes to all clients at once, as if the server had: between two replies if none is under way. */
  garble(bytes: Uint8Array): void
  /**
   * Keeps what clients send, to be delivered in order by {@link Proxy.release}, also for clients that have gone by then:
   * a hang whose writes are applied late. Replies go through.
   */
  hold(): void
  release(): Promise<void>
  /** Back to normal, on the same port: what was held is delivered, what was delayed comes at once. */
  restore(): Promise<void>
  /** Ends it for good, with all connections. */
  close(): Promise<void>
}

/** Starts a proxy before a server, by default one on this machine. */
export async function startProxy(target: { port: number; host?: string }): Promise<Proxy> {
  const upstream = { port: target.port, host: target.host ?? '127.0.0.1' }
  const conditions = { ...goodConditions, random: createRandom() }
  const links = new Set<Link>()
  let isCut = false
  const port = await freePort()
  let listener: Server | undefined = await listen(port, accept)

  function accept(client: Socket): void {
    if (isCut) return void client.resetAndDestroy()
    const link = createLink(client, upstream, conditions)
    links.add(link)
    const forget = (): void => {
      // Without its client it lives on until the server has all that was sent.
      if (client.destroyed && link.server.destroyed) links.delete(link)
    }
    client.on('close', forget)
    link.server.on('close', forget)
  }

  async function refuse(): Promise<void> {
    const closing = listener
    listener = undefined
    resetAll()
    if (!closing) return
    const closed = once(closing, 'close')
    closing.close()
    await closed
  }

  function resetAll(): void {
    for (const link of links) resetLink(link)
  }

  function change(changes: Partial<Conditions>): void {
    Object.assign(conditions, changes)
    for (const { toServer, toClient } of links) {
      toServer.flush()
      toClient.flush()
    }
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get connections() {
      return [...links].filter(({ client }) => !client.destroyed).length
    },
    refuse,
    cut() {
      isCut = true
      resetAll()
    },
    reset: resetAll,
    fin() {
      for (const { client, server } of links) for (const side of [client, server]) side.end()
    },
    halfClose() {
      for (const { client } of links) client.end()
    },
    blackhole() {
      conditions.isBlackhole = true
      for (const link of links) {
        const lost = [link.toServer.clear(), link.toClient.clear()]
        if (lost.includes(true)) link.isSwallowed = true
      }
    },
    delay: (ms, jitter = 0) => change({ delay: ms, jitter }),
    throttle: (bytesPerSecond) => change({ rate: bytesPerSecond }),
    garble(bytes) {
      for (const { client } of links) if (client.writable) client.write(bytes)
    },
    hold: () => change({ isHolding: true }),
    release: async () => change({ isHolding: false }),
    async restore() {
      isCut = false
      for (const link of links) if (link.isSwallowed) resetLink(link)
      change(goodConditions)
      listener ??= await listen(port, accept)
    },
    close: refuse,
  }
}

/** How far away what is behind any proxy is, in ms for a round trip: the whole suite can be tried with a Redis in another region. */
const distance = Number(process.env['HOLDFAST_DISTANCE'] ?? 0)
const goodConditions = {
  delay: distance / 2,
  jitter: 0,
  rate: Infinity,
  isBlackhole: false,
  isHolding: false,
}

/** Listens on a port that may not be free yet. */
async function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept).listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt > 200) throw error
      await pause(10)
    }
  }
}

/** The same numbers from -1 to 1 for each proxy (a linear congruential generator, Numerical Recipes). */
function createRandom(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}
