import type { ClusterOptions, RedisOptions } from 'ioredis'

/**
 * How a connection of ours behaves, whatever else its options say: it fails at once instead of queueing, never sends a
 * command twice, and is back within half a second of the server. Each was measured.
 *
 * There is neither `commandTimeout` nor `socketTimeout`: they cost a timer per command. The layer above has a deadline of
 * its own and drops a connection that stays silent; the handshake is bounded where connections are watched.
 */
export const failFast: RedisOptions & { replyMapping: 'legacy' } = {
  lazyConnect: false,
  connectTimeout: 500,
  socketTimeout: undefined,
  disconnectTimeout: 100,
  keepAlive: 5_000,
  noDelay: true,
  // These three go together: in ioredis 6.0.0 the third without the second leaves promises pending for ever.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  maxLoadingRetryTime: 250,
  retryStrategy: (attempt) => backoff(attempt),
  reconnectOnError: null,
  showFriendlyErrorStack: false,
  stringNumbers: false,
  replyMapping: 'legacy',
  monitor: false,
  commandTimeout: undefined,
  blockingTimeout: undefined,
  sentinelRetryStrategy: (attempt) => backoff(attempt),
  sentinelReconnectStrategy: () => 1_000,
  sentinelCommandTimeout: 500,
  failoverDetector: true,
  keyPrefix: '',
  scripts: undefined,
}

/** The same for a Cluster: what concerns its nodes stands in `redisOptions`. */
export const clusterFailFast: ClusterOptions = {
  lazyConnect: false,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  scaleReads: 'master',
  slotsRefreshTimeout: 500,
  slotsRefreshInterval: 5_000,
  maxRedirections: 5,
  retryDelayOnFailover: 50,
  retryDelayOnClusterDown: 50,
  retryDelayOnTryAgain: 20,
  clusterRetryStrategy: (attempt) => backoff(attempt),
  shardedSubscribers: false,
  keyPrefix: '',
  scripts: undefined,
}

/**
 * Our probe is the ready check. That of ioredis asks INFO: who may not gets a line on the console for every connection, and
 * where there is no such command none is ever ready. Only of a server that a Sentinel named the role has to be asked, for the
 * Sentinel may not have heard of a failover yet; and a connector of the application's may check what it likes.
 */
export function readyCheck({ sentinels, Connector }: RedisOptions): Pick<RedisOptions, 'enableReadyCheck'> {
  return { enableReadyCheck: Boolean(sentinels ?? Connector) }
}

/** 50, 100, 200 and then 250 ms, each with up to 50 ms on top so that a fleet does not knock together. */
export function backoff(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), 250) + Math.floor(Math.random() * 50)
}
