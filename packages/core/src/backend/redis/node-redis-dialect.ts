import { backoff } from './ioredis-options.ts'
import type { RedisCommand, Reply } from './port.ts'
import { slotOf } from './slots.ts'
import { within } from './within.ts'

/** A client, cluster or Sentinel client of node-redis 5 or 6, known by its shape. */
export interface NodeRedisSource {
  readonly isOpen: boolean
  duplicate(overrides?: never): object
  connect(): Promise<unknown>
  destroy(): unknown
  sendCommand(...args: never[]): Promise<unknown>
}

/** What the three kinds of client have in common. */
export interface NodeRedisClient extends NodeRedisSource {
  /** A cluster of version 5 has none. */
  readonly isReady?: boolean
  on(event: string, listener: (error: unknown) => void): unknown
  subscribe(
    channel: string,
    listener: (message: Buffer, channel: Buffer) => void,
    bufferMode: true,
  ): Promise<unknown>
  unsubscribe(
    channel: string,
    listener: (message: Buffer, channel: Buffer) => void,
    bufferMode: true,
  ): Promise<unknown>
}

/** Where the three kinds of client differ. */
export interface Dialect {
  readonly clustered: boolean
  readonly keyPrefix: string
  /** Makes an unconnected client like the application's, with options that fail fast. */
  duplicate(): NodeRedisClient
  /** Makes a client that speaks RESP2, where changed keys are told of by messages; left out where it cannot listen itself. */
  readonly tracking?: { duplicate(): NodeRedisClient }
  connect(client: NodeRedisClient): Promise<unknown>
  send(client: NodeRedisClient, command: RedisCommand, key?: string): Promise<Reply>
  shards(client: NodeRedisClient): ((command: RedisCommand) => Promise<Reply>)[]
  isReady(client: NodeRedisClient): boolean
  /** Whether it can be used still after an error. */
  isUsable(client: NodeRedisClient): boolean
  /** Asks whether a connection that listens still lives, and where the commands go. */
  pingListening(client: NodeRedisClient, commands: NodeRedisClient | undefined): Promise<unknown>
}

interface Single extends Omit<NodeRedisClient, 'sendCommand'> {
  readonly options?: { readonly socket?: object; readonly database?: number }
  sendCommand(command: readonly unknown[], options: object): Promise<Reply>
  ping(): Promise<unknown>
}

interface Node {
  readonly client?: Single
}

interface ClusterClient extends Omit<NodeRedisClient, 'sendCommand'> {
  readonly masters: readonly Node[]
  readonly slots: readonly ({ readonly master: Node } | undefined)[]
  readonly pubSubNode?: Node & { readonly address: string }
  readonly nodeByAddress: ReadonlyMap<string, unknown>
  readonly _options?: {
    readonly defaults?: { readonly socket?: object }
    readonly rootNodes?: readonly { readonly socket?: object }[]
  }
  nodeClient(node: Node): Promise<Single>
  sendCommand(
    key: string | undefined,
    isReadonly: boolean,
    command: readonly unknown[],
    options: object,
  ): Promise<Reply>
}

interface SentinelClient extends Omit<NodeRedisClient, 'sendCommand'> {
  sendCommand(isReadonly: boolean, command: readonly unknown[], options: object): Promise<Reply>
}

/** `$36` is RESP's bulk string: as Buffers, so that a value's bytes stay what they are and `+OK` is told from a value. */
const commandOptions = { typeMapping: { 36: Buffer }, timeout: undefined }

/** How a connection of ours behaves, whatever else its options say. */
const failFast = {
  url: undefined,
  disableOfflineQueue: true,
  // A full queue would look like a connection that is lost. How long calls wait is bounded above.
  commandsQueueMaxLength: undefined,
  commandOptions,
  pingInterval: undefined,
  maintNotifications: 'disabled',
  clientSideCache: undefined,
  emitInvalidate: undefined,
  keyPrefix: undefined,
}

/** How long a cluster waits for masters that do not answer before it serves the others, in milliseconds. */
const nodePatience = 1_000

/** `socketTimeout` stays off: it is an idle timer that traffic holds off, and it ends idle connections that are well. */
const failFastSocket = { connectTimeout: 500, socketTimeout: undefined, keepAliveInitialDelay: 5_000 }

/** Tells the kinds of node-redis client apart. */
export function dialectOf(app: NodeRedisSource): Dialect {
  const keyPrefix = (app as { _keyPrefix?: string })._keyPrefix ?? ''
  if ('masters' in app && 'nodeClient' in app)
    return { ...clusterDialect(app as unknown as ClusterClient), keyPrefix }
  if ('getSentinelNode' in app) return { ...sentinelDialect(app as unknown as SentinelClient), keyPrefix }
  return { ...singleDialect(app as unknown as Single), keyPrefix }
}

type DialectOfKind = Omit<Dialect, 'keyPrefix'>

function singleDialect(app: Single): DialectOfKind {
  const send = (client: NodeRedisClient, command: RedisCommand): Promise<Reply> =>
    (client as unknown as Single).sendCommand(command, commandOptions)
  function duplicate(overrides?: { readonly RESP: number }): NodeRedisClient {
    // One client lives for one connection: the lifeline makes the next one.
    const socket = { ...app.options?.socket, ...failFastSocket, reconnectStrategy: false }
    return app.duplicate({ ...failFast, ...overrides, socket } as never) as NodeRedisClient
  }
  return {
    clustered: false,
    duplicate: () => duplicate(),
    tracking: { duplicate: () => duplicate({ RESP: 2 }) },
    connect: (client) => client.connect(),
    send,
    shards: (client) => [(command) => send(client, command)],
    isReady: (client) => client.isReady === true,
    isUsable: () => false,
    pingListening: (client) => (client as unknown as Single).ping(),
  }
}

function clusterDialect(app: ClusterClient): DialectOfKind {
  const masters = (client: NodeRedisClient): readonly Node[] => (client as unknown as ClusterClient).masters
  return {
    clustered: true,
    duplicate() {
      const defaults = app._options?.defaults
      const socket = { ...defaults?.socket, ...failFastSocket, reconnectStrategy: backoff }
      const { url: _, keyPrefix: __, ...nodes } = failFast
      // These are asked for the slots once and dropped, so here the idle timer bounds the answer.
      const rootNodes = app._options?.rootNodes?.map((root) => ({
        ...root,
        socket: { ...root.socket, socketTimeout: 1_000 },
      }))
      return app.duplicate({
        commandOptions,
        clientSideCache: undefined,
        keyPrefix: undefined,
        // A master that does not answer must not keep us from the others.
        minimizeConnections: true,
        maxCommandRedirections: 5,
        // Versions that do not show their options keep them: replacing them would lose credentials.
        ...(app._options ? { defaults: { ...defaults, ...nodes, socket }, rootNodes } : {}),
      } as never) as NodeRedisClient
    },
    async connect(client) {
      await client.connect()
      const cluster = client as unknown as ClusterClient
      const all = Promise.allSettled(masters(client).map((node) => cluster.nodeClient(node)))
      await within(nodePatience, 'Connecting to every master', all).catch(() => undefined)
    },
    async send(client, command, key) {
      const cluster = client as unknown as ClusterClient
      const node = key === undefined ? undefined : cluster.slots[slotOf(key)]?.master
      // It would wait for the connection.
      if (node?.client?.isReady === false)
        throw Object.assign(new Error('This node is away.'), { code: 'OFFLINE' })
      return cluster.sendCommand(key, false, command, commandOptions)
    },
    shards: (client) =>
      masters(client).map(
        (node) => async (command) =>
          (await (client as unknown as ClusterClient).nodeClient(node)).sendCommand(command, commandOptions),
      ),
    // Once connected, it always is: its nodes come and go.
    isReady: () => true,
    isUsable: (client) => masters(client).some((node) => node.client === undefined || node.client.isReady),
    async pingListening(client, commands) {
      const { pubSubNode } = client as unknown as ClusterClient
      const nodes = (commands as unknown as ClusterClient | undefined)?.nodeByAddress
      // It may live on alone.
      if (pubSubNode && nodes?.has(pubSubNode.address) === false)
        throw new Error('This node has left the cluster.')
      return pubSubNode?.client?.ping()
    },
  }
}

function sentinelDialect(app: SentinelClient): DialectOfKind {
  const send = (client: NodeRedisClient, command: RedisCommand): Promise<Reply> =>
    (client as unknown as SentinelClient).sendCommand(false, command, commandOptions)
  return {
    clustered: false,
    duplicate: () =>
      app.duplicate({
        commandOptions,
        clientSideCache: undefined,
        keyPrefix: undefined,
        // Else commands that failed with their connection are sent again after the failover.
        maxCommandRediscovers: 0,
        passthroughClientErrorEvents: true,
        replicaPoolSize: 0,
        reserveClient: false,
      } as never) as NodeRedisClient,
    connect: (client) => client.connect(),
    send,
    shards: (client) => [(command) => send(client, command)],
    isReady: (client) => client.isReady === true,
    isUsable: () => false,
    // The connection it listens on cannot be reached from here; that of its commands shares its fate.
    pingListening: (client) => send(client, ['PING']),
  }
}
