import type { Cluster, Redis } from 'ioredis'
import { failFast } from './ioredis-options.ts'
import type { ListeningConnection } from './subscriber.ts'
import { onUndecodable } from './surplus.ts'

/** Opens a connection that listens: a duplicate of the client, or of one master of a Cluster, where any hears all. */
export function openIoredisListening(
  client: Redis | Cluster,
  onMessage: (channel: string, message: Buffer) => void,
  onLost: () => void,
): Promise<ListeningConnection> {
  const model = client.isCluster ? oneOf((client as Cluster).nodes('master')) : (client as Redis)
  if (!model) return Promise.reject(new Error("Cluster isn't ready and enableOfflineQueue options is false"))
  const listening = model.duplicate({ ...failFast, readOnly: false, retryStrategy: null })
  listening.on('error', () => undefined)
  // ioredis listens to the socket only after it has told of the connection.
  listening.on('connect', () => process.nextTick(onUndecodable, listening, () => listening.disconnect()))
  listening.on('messageBuffer', (channel: Buffer, message: Buffer) => onMessage(channel.toString(), message))

  const connection: ListeningConnection = {
    subscribe: (channel) => listening.subscribe(channel),
    unsubscribe: (channel) => listening.unsubscribe(channel),
    // Unanswered within the socket timeout, it ends the connection.
    ping: () => listening.ping(),
    close: () => listening.disconnect(),
  }
  return new Promise((resolve, reject) => {
    let lastError: Error | undefined
    listening.on('error', (error: Error) => (lastError = error))
    listening.once('ready', () => resolve(connection))
    listening.once('end', () => {
      reject(lastError ?? new Error('Connection is closed.'))
      onLost()
    })
  })
}

function oneOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)]
}
