import type { Cluster, Redis } from 'ioredis'
import { createConnectionState, type ConnectionState } from './connection-state.ts'
import { corkTurns } from './cork.ts'
import { backoff } from './ioredis-options.ts'
import { integrityError } from './replies.ts'
import { onSurplusReply } from './surplus.ts'

/** A client of ioredis that is our own. */
export type OwnIoredis = Redis | Cluster

/** Keeps a client of our own connected, and tells when it can be used. */
export interface IoredisConnection {
  readonly state: ConnectionState
  /** Drops what is connected, with all that is in flight, at once. */
  drop(): void
  /** Ends the connection for as long as the application's client is ended. */
  end(): void
  begin(): void
  /** Stops keeping the process alive while there is no connection. */
  loosen(): void
  close(): Promise<void>
}

/** After how many milliseconds a database that could not be selected is tried again. */
const databaseRetry = 1_000
/** After how many milliseconds without a word a new connection is given up. */
const handshakeTimeout = 1_000
/** The pause before a client that ended by itself is begun again: the longest it knows. */
const revivalAttempt = 10

/** Takes over a client that was just made: its errors, its readiness, its end. */
export function keepIoredisConnected(
  client: OwnIoredis,
  { cork, isAbandoned }: { readonly cork: boolean; readonly isAbandoned: () => boolean },
): IoredisConnection {
  const state = createConnectionState()
  let wanted = true
  let loose = false
  let revival: NodeJS.Timeout | undefined

  client.on('error', (error: Error) => {
    state.note(error)
    // A surplus reply: the replies before it went to who knows which commands.
    if (error.message.startsWith('Command queue state error')) dropForeign()
  })
  if (!client.isCluster) (client as Redis).options.retryStrategy = state.pauseBefore
  client.on('close', state.announceLost)
  client.on('end', () => {
    state.announceLost()
    // ioredis ends for good when a Sentinel tells of a failover while it is connecting, just when it is needed.
    if (wanted) revival = setTimeout(connect, backoff(revivalAttempt))
    if (loose) unref()
  })
  client.on('reconnecting', () => (loose || isAbandoned()) && unref())
  client.on('ready', () => void announceWhenVerified())
  client.on('-node', state.announceChange)
  onEveryConnection(client, (node) => {
    if (cork) corkTurns(node.stream, () => node.commandQueue.length > 0)
    // ioredis listens to the socket only after it has told of the connection.
    process.nextTick(onSurplusReply, node, dropForeign)
    boundHandshake(node)
  })

  async function announceWhenVerified(): Promise<void> {
    const stream = streamOf(client)
    try {
      await verifyDatabase(client)
    } catch (error) {
      if (!wanted || streamOf(client) !== stream) return
      state.note(error)
      state.announceLost()
      setTimeout(() => client.status === 'ready' && void announceWhenVerified(), databaseRetry).unref()
      return
    }
    if (client.status === 'ready' && streamOf(client) === stream) state.announceReady()
  }

  function connect(): void {
    client.connect().catch(() => undefined)
  }

  function dropForeign(): void {
    state.note(integrityError('an answer to any command'))
    dropAll()
  }

  function dropAll(): void {
    state.unready()
    if (!client.isCluster) return void (client as Redis).stream?.destroy()
    for (const node of (client as Cluster).nodes()) node.stream?.destroy()
    if (client.status === 'ready') client.disconnect(true)
  }

  function unref(): void {
    revival?.unref()
    ;(client as unknown as { reconnectTimeout?: NodeJS.Timeout | null }).reconnectTimeout?.unref()
  }

  return {
    state,
    drop: dropAll,
    end() {
      wanted = false
      clearTimeout(revival)
      client.disconnect()
    },
    begin() {
      wanted = true
      connect()
    },
    loosen() {
      loose = true
      unref()
    },
    async close() {
      wanted = false
      clearTimeout(revival)
      state.close()
      await ended(client)
    },
  }
}

/** A failed SELECT in the handshake leaves ioredis ready on database 0, so it is asked again where it would show. */
async function verifyDatabase(client: OwnIoredis): Promise<void> {
  const db = client.isCluster ? 0 : ((client as Redis).options.db ?? 0)
  if (db !== 0) await client.callBuffer('SELECT', String(db))
}

function onEveryConnection(client: OwnIoredis, callback: (node: Redis) => void): void {
  if (!client.isCluster) client.on('connect', () => callback(client as Redis))
  else client.on('+node', (node: Redis) => node.on('connect', () => callback(node)))
}

/** A server that accepts and says nothing would leave ioredis connecting for ever: `connectTimeout` ends with TCP. */
function boundHandshake({ stream }: Redis): void {
  const giveUp = (): void => {
    if (stream.bytesRead === 0) stream.destroy()
  }
  setTimeout(giveUp, handshakeTimeout).unref()
}

function streamOf(client: OwnIoredis): unknown {
  return client.isCluster ? undefined : (client as Redis).stream
}

/** Resolves when the client has ended, or soon after it was told to: while it is reconnecting it does not say. */
function ended(client: OwnIoredis): Promise<void> {
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
