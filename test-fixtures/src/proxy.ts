import { createServer, connect, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** A TCP proxy on loopback whose connections can be broken in the ways that networks break them. */
export interface Proxy {
  readonly port: number
  readonly url: string
  /** Connections that are open now. */
  readonly connections: number
  /** Resets all connections and refuses new ones. */
  refuse(): Promise<void>
  /** Resets all connections once; new ones are served. */
  reset(): void
  /** Ends all connections once, in the orderly way. */
  fin(): void
  /** Ends the direction towards the client only; what the client sends is still taken. */
  halfClose(): void
  /** Swallows all bytes in both directions. What was swallowed is never delivered: lifting it resets those connections. */
  blackhole(): void
  /** Delays each direction by `ms`, in order. */
  delay(ms: number): void
  /** Lets so many bytes a second through in each direction. */
  throttle(bytesPerSecond: number): void
  /** Sends bytes to all clients as if the server had. */
  garble(bytes: Uint8Array): void
  /** Keeps what clients send, to be delivered in order by {@link Proxy.release}. */
  hold(): void
  release(): Promise<void>
  /** Back to normal. */
  restore(): Promise<void>
  close(): Promise<void>
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  isSwallowed: boolean
  readonly held: Buffer[]
}

/** Starts a proxy before a server on this machine. */
export async function startProxy(target: { port: number; host?: string }): Promise<Proxy> {
  const links = new Set<Link>()
  /** Links whose client has gone, with bytes that are still to be delivered. */
  const orphans = new Set<Link>()
  let listener: Server | undefined
  let port = 0
  let latency = 0
  let rate = Infinity
  let isBlackhole = false
  let isHolding = false

  function accept(client: Socket): void {
    const server = connect({ port: target.port, host: target.host ?? '127.0.0.1', allowHalfOpen: true })
    const link: Link = { client, server, isSwallowed: isBlackhole, held: [] }
    links.add(link)
    client.setNoDelay(true)
    server.setNoDelay(true)
    const toServer = createLane(server)
    const toClient = createLane(client)
    client.on('data', (chunk) => {
      if (isBlackhole) link.isSwallowed = true
      else if (isHolding) link.held.push(chunk)
      else toServer(chunk)
    })
    server.on('data', (chunk) => {
      if (isBlackhole) link.isSwallowed = true
      else toClient(chunk)
    })
    const drop = (): void => {
      links.delete(link)
      client.destroy()
      // What is held or on its way was sent, and arrives: that is the point of holding it.
      if (link.held.length > 0) orphans.add(link)
      else if (latency === 0) server.destroy()
    }
    client.on('error', drop)
    client.on('close', drop)
    client.on('end', drop)
    server.on('error', () => client.destroy())
    server.on('close', () => client.destroy())
    server.on('end', () => client.end())
  }

  /** Writes to one side, late and slowly if so wanted, always in order. */
  function createLane(to: Socket): (chunk: Buffer) => void {
    let last = Promise.resolve()
    let isIdle = true
    return (chunk) => {
      if (isIdle && latency === 0 && rate === Infinity) return void (to.writable && to.write(chunk))
      isIdle = false
      const due = performance.now() + latency
      const sent = last.then(async () => {
        const wait = due - performance.now()
        if (wait > 0) await pause(wait)
        if (rate !== Infinity) await pause((chunk.length / rate) * 1000)
        if (to.writable) to.write(chunk)
      })
      last = sent
      void sent.then(() => (isIdle = last === sent || isIdle))
    }
  }

  async function listen(): Promise<void> {
    if (listener) return
    for (let attempt = 0; ; attempt++) {
      const server = createServer({ allowHalfOpen: true }, accept)
      const isListening = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false))
        server.listen(port, '127.0.0.1', () => resolve(true))
      })
      if (isListening) {
        listener = server
        port = (server.address() as { port: number }).port
        return
      }
      if (attempt > 200) throw new Error(`port ${port} is taken`)
      await pause(10)
    }
  }

  async function unlisten(): Promise<void> {
    const closing = listener
    listener = undefined
    if (!closing) return
    const isClosed = new Promise((resolve) => closing.close(resolve))
    resetAll(links)
    await isClosed
  }

  function release(): void {
    isHolding = false
    for (const { held, server } of [...links, ...orphans]) for (const chunk of held.splice(0)) server.write(chunk)
    for (const { server } of orphans) server.end()
    orphans.clear()
  }

  await listen()
  return {
    get port() {
      return port
    },
    get url() {
      return `redis://127.0.0.1:${port}`
    },
    get connections() {
      return links.size
    },
    refuse: unlisten,
    reset: () => resetAll(links),
    fin: () => links.forEach(({ client }) => client.end()),
    halfClose: () => links.forEach(({ client }) => client.end()),
    blackhole: () => void (isBlackhole = true),
    delay: (ms) => void (latency = ms),
    throttle: (bytesPerSecond) => void (rate = bytesPerSecond),
    garble: (bytes) => links.forEach(({ client }) => client.write(bytes)),
    hold: () => void (isHolding = true),
    async release() {
      release()
    },
    async restore() {
      const swallowed = [...links].filter((link) => link.isSwallowed)
      isBlackhole = false
      latency = 0
      rate = Infinity
      resetAll(swallowed)
      release()
      await listen()
    },
    async close() {
      await unlisten()
      resetAll([...links, ...orphans])
    },
  }
}

function resetAll(links: Iterable<Link>): void {
  for (const { client, server } of [...links]) {
    client.resetAndDestroy()
    server.destroy()
  }
}
