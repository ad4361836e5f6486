import { shareFate } from './application-client.ts'
import { createConnectionState } from './connection-state.ts'
import { createLifeline, type Generation } from './lifeline.ts'
import { dialectOf, type NodeRedisClient, type NodeRedisSource } from './node-redis-dialect.ts'
import type { CommandPort, RedisCommand, Reply } from './port.ts'
import { createSubscriber } from './subscriber.ts'
import { changedKeys, createTracker, invalidations, trackingCommand } from './tracker.ts'

/**
 * Connects as an application's node-redis client, cluster or Sentinel client does (version 5 or 6), over a connection of
 * our own: same address, credentials and TLS, options that fail fast. The application's client is left alone; when the
 * application ends it, ours ends too. Why: docs/decisions/application-clients.md.
 *
 * node-redis never notices that a server has fallen silent, so each connection is a client of its own that can be
 * thrown away, with a bounded handshake.
 */
export function nodeRedisPortLike(app: NodeRedisSource): CommandPort {
  const dialect = dialectOf(app)
  const state = createConnectionState()
  const generation: Generation<NodeRedisClient> = {
    make(onError) {
      const client = dialect.duplicate()
      client.on('error', onError)
      client.on('node-error', onError)
      client.on('node-ready', state.announceChange)
      return client
    },
    connect: (client) => dialect.connect(client),
    destroy: destroyQuietly,
    isUsable: (client) => dialect.isUsable(client),
  }
  const lifeline = createLifeline(generation, state)
  const subscriber = createSubscriber(state, async (onMessage, onLost, signal) => {
    let isOpen = false
    const listening = generation.make(() => {
      // While a cluster connects, it may try several servers.
      if (!isOpen) return
      // At once: else a cluster listens again by itself, and its new connection outlives it (6.3.1).
      void destroyQuietly(listening)
      onLost()
    })
    await connected(listening, signal)
    isOpen = true
    const hear = (message: Buffer, channel: Buffer): void => onMessage(channel.toString(), message)
    return {
      subscribe: (channel) => listening.subscribe(channel, hear, true),
      unsubscribe: (channel) => listening.unsubscribe(channel, hear, true),
      ping: () => dialect.pingListening(listening, lifeline.client()),
      close: () => void destroyQuietly(listening),
    }
  })
  const tracker =
    dialect.tracking &&
    createTracker(state, async (prefixes, onChange, onLost, signal) => {
      const tracking = dialect.tracking!.duplicate()
      const onError = (): void => onLost()
      tracking.on('error', onError)
      try {
        await connected(tracking, signal)
        const id = String(await dialect.send(tracking, ['CLIENT', 'ID']))
        await dialect.send(tracking, trackingCommand(id, prefixes))
        await tracking.subscribe(invalidations, (message) => onChange(changedKeys(message)), true)
      } catch (error) {
        void destroyQuietly(tracking)
        throw error
      }
      return {
        ping: () => dialect.pingListening(tracking, lifeline.client()),
        close: () => void destroyQuietly(tracking),
      }
    })
  let closed = false

  function send(command: RedisCommand, key?: string): Promise<Reply> {
    const client = lifeline.client()
    // Before it is ready, node-redis would send commands behind its own AUTH, whether or not that succeeds.
    if (client === undefined || !dialect.isReady(client)) return Promise.reject(state.offlineError())
    return dialect.send(client, command, key)
  }

  const fate = shareFate(app, {
    isReady: state.isReady,
    end: () => lifeline.stop(),
    begin: () => lifeline.start(),
    loosen: () => lifeline.loosen(),
  })
  lifeline.start()

  return {
    client: 'node-redis',
    keyPrefix: dialect.keyPrefix,
    clustered: dialect.clustered,
    send,
    shards() {
      const client = lifeline.client()
      return client === undefined ? [send] : dialect.shards(client)
    },
    subscribe: subscriber.subscribe,
    ...(tracker && { track: tracker.track }),
    watch: state.watch,
    reset() {
      if (state.isReady()) lifeline.renew()
    },
    async close() {
      if (closed) return
      closed = true
      state.close()
      fate.release()
      subscriber.close()
      tracker?.close()
      lifeline.stop()
    },
  }
}

/** A client that is closed already may throw or reject when it is destroyed. */
/** Connects, until the signal tells to give up: by itself it may stay pending. */
function connected(client: NodeRedisClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      void destroyQuietly(client)
      reject(error)
    }
    const givenUp = Object.assign(new Error('Connecting to Redis was given up.'), { code: 'ETIMEDOUT' })
    signal.addEventListener('abort', () => fail(givenUp), { once: true })
    client.connect().then(() => resolve(), fail)
  })
}

async function destroyQuietly(client: NodeRedisClient): Promise<void> {
  try {
    await client.destroy()
  } catch {}
}
