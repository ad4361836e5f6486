import type {
  ConnectionChange,
  HearingListener,
  Subscription,
  Tracking,
  TrackingListener,
} from '../backend.ts'

/** One word of a command. Numbers are given as strings. */
export type Argument = string | Buffer
/** A command as Redis takes it: its name, in capitals, then its arguments. */
export type RedisCommand = readonly [name: string, ...args: Argument[]]
/** What Redis answers. Bulk and simple strings are Buffers (`OK` may also be a string), maps are flat arrays. */
export type Reply = Buffer | string | number | null | readonly Reply[]

/**
 * What the Redis backend needs of a Redis client. Write one to bring a client of your own, and give it to Holdfast in
 * the place of a URL.
 *
 * A port never queues: while there is no connection, `send` rejects at once. It never sends a command twice, and settles
 * every promise at the latest when its connection closes. It need not bound how long a reply takes: the layer above does,
 * and calls `reset()` when nothing is heard.
 */
export interface CommandPort {
  /** Names the client in health and logs: `ioredis`, `node-redis`. */
  readonly client: string
  /** Put before every key by the backend, and taken off what a scan finds. `''`: nothing. */
  readonly keyPrefix: string
  /** Keys live in hash slots, and a command may name keys of one slot only. */
  readonly clustered: boolean
  /**
   * Sends one command. Error replies reject. `key` says where it goes in a cluster; without it, to any master.
   */
  send(command: RedisCommand, key?: string): Promise<Reply>
  /**
   * `send`, then `read` of the reply, in one step where the client has such: the promise is settled by what `read` gives or
   * throws.
   */
  ask?<T>(command: RedisCommand, key: string, read: (reply: Reply) => T): Promise<T>
  /** One function per master, each sending to that one; a single server has one. For `SCAN`. */
  shards(): readonly ((command: RedisCommand) => Promise<Reply>)[]
  /**
   * Listens on a channel, on a connection that serves nothing else; resolves once messages will be heard. Subscribes
   * again after that connection was lost. Whenever the connection for commands was lost, this one is opened anew
   * after it: it may be left at another server, which answers and tells nothing.
   */
  subscribe(
    channel: string,
    listener: (message: Buffer) => void,
    hearing?: HearingListener,
  ): Promise<Subscription>
  /**
   * Tells of changed wire keys, on a connection that serves nothing else and is opened anew as that of `subscribe` is. Left
   * out where the client cannot.
   */
  track?(prefix: string, listener: TrackingListener): Tracking
  /**
   * Tells when commands can be written (connected, authenticated, on the right database), at once where they can already,
   * and when they cannot any more. `lost` names the client's last error. `ready` again, where one of the masters of a cluster
   * was lost or is another one.
   */
  watch(listener: (change: ConnectionChange) => void): () => void
  /** Drops the connections and what is in flight on them, and connects anew. Does nothing while it is connecting. */
  reset(): void
  /** Ends every connection this port opened; resolves within a second. Later calls reject. */
  close(): Promise<void>
}
