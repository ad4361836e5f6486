import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { failFast } from './ioredis-options.ts'
import type { HearingConnection } from './kept-connection.ts'
import type { ListeningConnection, OpenListening } from './subscriber.ts'
import { onUndecodable } from './surplus.ts'
import { changedKeys, invalidations, trackingCommand, type OpenTracking } from './tracker.ts'

/** Opens a connection that listens: a duplicate of the client, or of one master of a Cluster, where any hears all. */
export function openIoredisListening(
  client: Redis | Cluster,
  ...[onMessage, onLost, signal]: Parameters<OpenListening>
): Promise<ListeningConnection> {
  const model = client.isCluster ? oneOf((client as Cluster).nodes('master')) : (client as Redis)
  if (!model) return Promise.reject(new Error("Cluster isn't ready and enableOfflineQueue options is false"))
  const listening = model.duplicate({ ...failFast, readOnly: false, retryStrategy: null })
  if (client.isCluster) {
    // A node that leaves the Cluster may live on alone.
    const leave = (): void => listening.disconnect()
    model.once('close', leave)
    listening.once('end', () => model.off('close', leave))
  }
  listening.on('messageBuffer', (channel: Buffer, message: Buffer) => onMessage(channel.toString(), message))
  return readied(listening, onLost, signal).then(() => ({
    subscribe: (channel) => listening.subscribe(channel),
    unsubscribe: (channel) => listening.unsubscribe(channel),
    // Unanswered within the socket timeout, it ends the connection.
    ping: () => listening.ping(),
    close: () => listening.disconnect(),
  }))
}

/**
 * Opens a connection on which Redis tells of changed keys. In RESP2, where such news is a message to the connection itself:
 * ioredis passes over the pushes of RESP3.
 */
export async function openIoredisTracking(
  client: Redis,
  ...[prefixes, onChange, onLost, signal]: Parameters<OpenTracking>
): Promise<HearingConnection> {
  const resp2 = { ...failFast, readOnly: false, retryStrategy: null, protocol: 2, replyMapping: undefined }
  const tracking = client.duplicate(resp2 as unknown as RedisOptions)
  tracking.on('messageBuffer', (_channel: Buffer, message: unknown) => onChange(changedKeys(message)))
  try {
    await readied(tracking, onLost, signal)
    const id = String(await tracking.call('CLIENT', 'ID'))
    const [name, ...args] = trackingCommand(id, prefixes)
    await tracking.call(name, ...args)
    await tracking.subscribe(invalidations)
  } catch (error) {
    tracking.disconnect()
    throw error
  }
  return { ping: () => tracking.ping(), close: () => tracking.disconnect() }
}

/** Resolves once a connection of our own can be used; rejects where it ends before, by itself or by the signal. */
function readied(connection: Redis, onEnd: () => void, signal: AbortSignal): Promise<void> {
  signal.addEventListener('abort', () => connection.disconnect(), { once: true })
  // ioredis listens to the socket only after it has told of the connection.
  connection.on('connect', () => process.nextTick(onUndecodable, connection, () => connection.disconnect()))
  return new Promise((resolve, reject) => {
    let lastError: Error | undefined
    connection.on('error', (error: Error) => (lastError = error))
    connection.once('ready', () => resolve())
    connection.once('end', () => {
      reject(lastError ?? new Error('Connection is closed.'))
      onEnd()
    })
  })
}

function oneOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)]
}
