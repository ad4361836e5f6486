import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { createConnectionState } from './connection-state.ts'
import { corkTurns } from './cork.ts'
import { clusterFailFast, failFast } from './ioredis-options.ts'
import { openIoredisListening } from './ioredis-listening.ts'
import type { CommandPort, RedisCommand, Reply } from './port.ts'
import { createSubscriber } from './subscriber.ts'
import { shareFate, type Fate } from './application-client.ts'

/** A client or Cluster of ioredis 5 or 6, known by its shape: an application may have a copy of its own. */
export interface IoredisClient {
  readonly status: string
  readonly isCluster: boolean
  readonly options: object
  duplicate(...args: never[]): object
  disconnect(reconnect?: boolean): void
}

type Client = Redis | Cluster

export interface IoredisPortOptions {
  /**
   * Lets commands of one turn travel together, on sockets of our own only. `false` writes each by itself, as ioredis
   * does. Default `true`.
   */
  readonly cork?: boolean
}

/** Connects with ioredis to the server, Sentinels or socket that these ioredis options name. */
export function ioredisPort(options: RedisOptions, { cork = true }: IoredisPortOptions = {}): CommandPort {
  const { keyPrefix = '' } = options
  return createPort(new Redis({ ...options, ...failFast } as RedisOptions & typeof failFast), { cork: cork && !options.Connector, keyPrefix })
}

/**
 * Connects as an application's own ioredis client or Cluster does, over a connection of our own: same address,
 * credentials and TLS, options that fail fast. The application's client is left alone; when the application ends it,
 * ours ends too. Why: docs/decisions/application-clients.md.
 */
export function ioredisPortLike(app: IoredisClient, { cork = true }: IoredisPortOptions = {}): CommandPort {
  const client = app as unknown as Client
  if (client.isCluster) {
    const { options } = client as Cluster
    const keyPrefix = options.keyPrefix || options.redisOptions?.keyPrefix || ''
    const redisOptions = { ...options.redisOptions, ...failFast, lazyConnect: true }
    const own = (client as Cluster).duplicate([], { ...clusterFailFast, redisOptions })
    return createPort(own, { cork, keyPrefix, app })
  }
  const { options } = client as Redis
  const own = (client as Redis).duplicate(failFast) as Redis
  return createPort(own, { cork: cork && !options.Connector, keyPrefix: options.keyPrefix ?? '', app })
}

interface PortSettings {
  readonly cork: boolean
  readonly keyPrefix: string
  readonly app?: IoredisClient
}

function createPort(client: Client, { cork, keyPrefix, app }: PortSettings): CommandPort {
  const state = createConnectionState()
  const subscriber = createSubscriber((onMessage, onLost) => openIoredisListening(client, onMessage, onLost))
  let closed = false
  let fate: Fate | undefined

  client.on('error', (error: Error) => {
    state.note(error)
    // A surplus reply: the replies of this connection belong to nobody knows which commands.
    if (!error.message.startsWith('Command queue state error')) return
    state.unready()
    drop(client)
  })
  client.on('close', state.announceLost)
  client.on('end', state.announceLost)
  client.on('ready', () => void announceWhenVerified())
  if (cork) corkEveryConnection(client)

  async function announceWhenVerified(): Promise<void> {
    const stream = streamOf(client)
    try {
      await verifyDatabase(client)
    } catch (error) {
      if (closed || streamOf(client) !== stream) return
      state.note(error)
      state.announceLost()
      setTimeout(() => client.status === 'ready' && void announceWhenVerified(), 1_000).unref()
      return
    }
    if (client.status === 'ready' && streamOf(client) === stream) state.announceReady()
  }

  function send([name, ...args]: RedisCommand): Promise<Reply> {
    if (!state.ready) return Promise.reject(state.offlineError())
    return call(client, name, args)
  }

  if (app) {
    fate = shareFate(app, {
      isReady: () => state.ready,
      end: () => {
        subscriber.reset()
        client.disconnect()
      },
      begin: () => void client.connect().catch(() => undefined),
      loosen: () => loosen(client),
    })
  }

  return {
    client: 'ioredis',
    keyPrefix,
    clustered: client.isCluster,
    get ready() {
      return state.ready
    },
    send,
    get(key) {
      if (!state.ready) return Promise.reject(state.offlineError())
      return client.getBuffer(key)
    },
    shards() {
      if (!client.isCluster) return [send]
      return (client as Cluster).nodes('master').map((node) => ([name, ...args]) => call(node, name, args))
    },
    subscribe: subscriber.subscribe,
    watch: state.watch,
    reset() {
      if (!state.ready) return
      state.unready()
      drop(client)
      subscriber.reset()
    },
    async close() {
      if (closed) return
      closed = true
      state.close()
      fate?.release()
      subscriber.close()
      await ended(client)
    },
  }
}

function call(client: Client, name: string, args: readonly (string | Buffer)[]): Promise<Reply> {
  return client.callBuffer(name, ...args) as Promise<Reply>
}

/** A failed SELECT in the handshake leaves ioredis ready on database 0, so it is asked again where it would show. */
async function verifyDatabase(client: Client): Promise<void> {
  const db = client.isCluster ? 0 : ((client as Redis).options.db ?? 0)
  if (db !== 0) await client.callBuffer('SELECT', String(db))
}

function corkEveryConnection(client: Client): void {
  if (!client.isCluster) client.on('connect', () => corkTurns((client as Redis).stream))
  else client.on('+node', (node: Redis) => node.on('connect', () => corkTurns(node.stream)))
}

/** Ends connections at once, so that not even replies that are already here are read from them. */
function drop(client: Client): void {
  if (!client.isCluster) return void (client as Redis).stream?.destroy()
  for (const node of (client as Cluster).nodes()) node.stream?.destroy()
  if (client.status === 'ready') client.disconnect(true)
}

function streamOf(client: Client): unknown {
  return client.isCluster ? undefined : (client as Redis).stream
}

function ended(client: Client): Promise<void> {
  return new Promise((resolve) => {
    if (client.status === 'end') return resolve()
    const timer = setTimeout(resolve, 250)
    client.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    client.disconnect()
  })
}

/** Stops keeping the process alive while there is no connection. */
function loosen(client: Client): void {
  const unref = (): void => {
    ;(client as unknown as { reconnectTimeout?: NodeJS.Timeout | null }).reconnectTimeout?.unref()
  }
  unref()
  client.on('reconnecting', unref)
}
