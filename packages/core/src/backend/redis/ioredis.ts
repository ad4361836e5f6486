import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { shareFate } from './application-client.ts'
import { EncodedCommand } from './encoded-command.ts'
import { keepIoredisConnected, type OwnIoredis } from './ioredis-connection.ts'
import { openIoredisListening, openIoredisTracking } from './ioredis-listening.ts'
import { clusterFailFast, failFast, readyCheck } from './ioredis-options.ts'
import { ownConnector } from './one-buffer-connector.ts'
import type { CommandPort, RedisCommand, Reply } from './port.ts'
import { rethrowWithoutArguments } from './replies.ts'
import { createSubscriber } from './subscriber.ts'
import { createTracker } from './tracker.ts'

/** A client or Cluster of ioredis 5 or 6, known by its shape: an application may have a copy of its own. */
export interface IoredisClient {
  readonly status: string
  readonly isCluster: boolean
  readonly options: object
  duplicate(...args: never[]): object
  disconnect(reconnect?: boolean): void
}

export interface IoredisPortOptions {
  /**
   * Lets commands of one turn travel together, on sockets of our own only. `false` writes each by itself, as ioredis
   * does. Default `true`.
   */
  readonly cork?: boolean
}

/** Connects with ioredis to the server, Sentinels or socket that these ioredis options name. */
export function ioredisPort(options: RedisOptions, { cork = true }: IoredisPortOptions = {}): CommandPort {
  const own = new Redis({
    ...options,
    ...failFast,
    ...readyCheck(options),
    ...ownConnector(options),
  } as RedisOptions & typeof failFast)
  return createPort(own, { cork: cork && !options.Connector, keyPrefix: options.keyPrefix ?? '' })
}

/**
 * Connects as an application's own ioredis client or Cluster does, over a connection of our own: same address,
 * credentials and TLS, options that fail fast. The application's client is left alone; when the application ends it,
 * ours ends too. Why: docs/decisions/application-clients.md.
 */
export function ioredisPortLike(app: IoredisClient, { cork = true }: IoredisPortOptions = {}): CommandPort {
  if (app.isCluster) {
    const { options, duplicate } = app as unknown as Cluster
    const redisOptions = { ...options.redisOptions, ...failFast, lazyConnect: true }
    const own = duplicate.call(app, [], { ...clusterFailFast, redisOptions })
    return createPort(own, {
      cork,
      keyPrefix: options.keyPrefix || options.redisOptions?.keyPrefix || '',
      app,
    })
  }
  const { options, duplicate } = app as unknown as Redis
  const own = duplicate.call(app, { ...failFast, ...ownConnector(options) }) as Redis
  return createPort(own, { cork: cork && !options.Connector, keyPrefix: options.keyPrefix ?? '', app })
}

interface PortSettings {
  readonly cork: boolean
  readonly keyPrefix: string
  readonly app?: IoredisClient
}

function createPort(client: OwnIoredis, { cork, keyPrefix, app }: PortSettings): CommandPort {
  const connection = keepIoredisConnected(client, { cork, isAbandoned: () => isAbandoned(app) })
  const { state } = connection
  const subscriber = createSubscriber(state, (...hearing) => openIoredisListening(client, ...hearing))
  // Each master of a Cluster would tell of its own keys only.
  const tracker = client.isCluster
    ? undefined
    : createTracker(state, (...hearing) => openIoredisTracking(client as Redis, ...hearing))
  const fate =
    app &&
    shareFate(app, {
      isReady: state.isReady,
      end: connection.end,
      begin: connection.begin,
      loosen: connection.loosen,
    })
  let closed = false

  function send(command: RedisCommand): Promise<Reply> {
    if (!state.isReady()) return Promise.reject(state.offlineError())
    return call(client, command)
  }

  return {
    client: 'ioredis',
    keyPrefix,
    clustered: client.isCluster,
    send,
    ask(command, _key, read) {
      if (!state.isReady()) return Promise.reject(state.offlineError())
      return call(client, command, read)
    },
    shards() {
      if (!client.isCluster) return [send]
      const { slots } = client as Cluster
      const masters = (client as Cluster).nodes('master')
      const shards = masters.map((node) => (command: RedisCommand) => call(node, command))
      // One that was lost is not among them: without a word, its keys would pass for gone.
      const owners = new Set(slots.map(([owner]) => owner))
      return owners.size > masters.length ? [() => Promise.reject(state.offlineError()), ...shards] : shards
    },
    subscribe: subscriber.subscribe,
    ...(tracker && { track: tracker.track }),
    watch: state.watch,
    reset() {
      if (state.isReady()) connection.drop()
    },
    async close() {
      if (closed) return
      closed = true
      fate?.release()
      subscriber.close()
      tracker?.close()
      await connection.close()
    },
  }
}

/** Whether an application ended its client while that was reconnecting: ioredis 6.0.0 tells nobody then. */
function isAbandoned(app: IoredisClient | undefined): boolean {
  return app?.status === 'reconnecting' && (app as { manuallyClosing?: boolean }).manuallyClosing === true
}

function call(client: OwnIoredis, command: RedisCommand): Promise<Reply>
function call<T>(client: OwnIoredis, command: RedisCommand, read: (reply: Reply) => T): Promise<T>
function call(client: OwnIoredis, command: RedisCommand, read?: (reply: Reply) => unknown): Promise<unknown> {
  if (client instanceof Redis || client instanceof Cluster) {
    const encoded = new EncodedCommand(command, read)
    return client.sendCommand(
      (client.isCluster ? encoded.withArguments() : encoded) as never,
    ) as Promise<unknown>
  }
  // An application may have a copy of ioredis of its own, of another version: that one makes its commands itself.
  const [name, ...args] = command
  const reply = (client as Redis).callBuffer(name, ...args) as Promise<Reply>
  return reply.then(read, rethrowWithoutArguments)
}
