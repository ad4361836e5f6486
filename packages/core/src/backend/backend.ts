import { hash } from 'node:crypto'
import type { Milliseconds } from '../units.ts'

/**
 * Stores bytes under keys until they expire. Redis and memory are backends; so is anything that keeps these promises,
 * which `@holdfast/conformance` checks one by one.
 *
 * A method rejects when it could not ask; it never answers `undefined`, `0` or `false` for "I do not know". It may also
 * stay pending while the other side hangs: the deadline above it gives the call up. A call that was given up may still
 * take effect later, which is why writes can be made conditional.
 */
export interface Backend {
  /** Names the backend in health, metrics and logs: `redis`, `memory`. */
  readonly name: string
  /** What this backend can do beyond the contract; core and the conformance suite read it. */
  readonly capabilities: Capabilities

  /** Gives the bytes under a key, or `undefined` when there are none or they have expired. */
  get(key: string): Promise<Uint8Array | undefined>
  /**
   * Like {@link Backend.get}, but the answer is proved to belong to this very call. Needed where answers travel on one
   * connection in the order of the questions, and one stray answer would shift all that follow. Left out where an
   * answer cannot be mistaken for another.
   */
  getBound?(key: string): Promise<Uint8Array | undefined>
  /** Gives the bytes under each key, in order and in one round trip (one per shard). No keys: no call. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>
  /** Stores bytes. Atomic with its condition, in one round trip. What it replaces loses its ttl too. */
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<SetOutcome>
  /** Removes a key and tells whether it was there. */
  delete(key: string): Promise<boolean>
  /** Gives a key a new ttl, counted from now, and tells whether it was there. Never creates a key. */
  touch(key: string, ttl: Milliseconds): Promise<boolean>
  /**
   * Gives all keys that start with `prefix`, in batches. The prefix is plain text: glob characters mean themselves.
   * A key that is there from start to end is given at least once.
   */
  scan(prefix: string): AsyncIterable<readonly string[]>

  /** Sends a message to those who listen on a channel now. At most once; none is kept. */
  publish(channel: string, message: Uint8Array): Promise<void>
  /** Listens on a channel; resolves once messages published from then on will be heard. */
  subscribe(
    channel: string,
    listener: (message: Uint8Array) => void,
    hearing?: HearingListener,
  ): Promise<Subscription>
  /**
   * Tells of every change to keys under a prefix, whoever makes it, as long as it can be heard: what a copy in memory needs
   * to stay true. Left out where changes by others cannot be heard of, or there are no others.
   */
  track?(prefix: string, listener: TrackingListener): Tracking
  /** Sets beside the keys. Left out where a backend has none; then a fleet of processes cannot share them. */
  readonly sets?: ExpiringSets

  /** Resolves when the other side answers. */
  ping(): Promise<void>
  /**
   * Tells when the connection is lost or usable again; gives a function that stops it. Called at once with `ready`
   * where it is. `ready` again, without a loss, says that one of several servers may be another one from now on, and may
   * lack what was written last. A backend that has no connection leaves this out: it is always ready.
   */
  watch?(listener: (change: ConnectionChange) => void): () => void
  /** Drops every connection and all that is in flight on it, and connects anew. Left out where there is no connection. */
  reset?(): void
  /** Lets go of everything; later calls reject. Closing twice is closing once. */
  close(): Promise<void>
}

/** Named sets whose members expire one by one: what sessions keep their endings and their owners in. */
export interface ExpiringSets {
  /**
   * Adds members, each with the time in ms since the epoch when it expires; of two times for one member the later one
   * counts. In the same atomic step removes a key and publishes a message, where asked to. (In a Redis Cluster the key may
   * live elsewhere: then it is removed beside it, in the same round trip.)
   */
  add(set: string, members: readonly Member[], also?: AlsoDo): Promise<void>
  /** Removes members; those that are not there are no error. */
  remove(set: string, members: readonly string[]): Promise<void>
  /** Gives up to `limit` members that expire at `from` or later, those that expire first before the others. */
  members(set: string, range: { readonly from: number; readonly limit: number }): Promise<Member[]>
  /** Gives all members, in batches and no order. One that is there from start to end is given at least once. */
  scan(set: string): AsyncIterable<readonly Member[]>
}

/** What {@link ExpiringSets.add} does in the same step. */
export interface AlsoDo {
  readonly delete?: string
  readonly publish?: { readonly channel: string; readonly message: Uint8Array }
}

/** A member of a set and when it expires, in ms since the epoch. */
export type Member = readonly [member: string, expiresAt: number]

/** What a backend can do beyond the contract. */
export interface Capabilities {
  /** Other processes with the same settings see the same entries and hear the same messages. */
  readonly shared: boolean
  /** Entries survive the end of this process. */
  readonly durable: boolean
}

/** How to store an entry. Without a condition: always. */
export interface SetOptions {
  /** Milliseconds until the entry expires; more than 0. Left out: it does not expire. */
  readonly ttl?: Milliseconds
  /** Store only where there is nothing (or, for Redis, something that is not bytes). */
  readonly ifAbsent?: boolean
  /** Store only where the bytes have this version: see {@link versionOf}. */
  readonly ifVersion?: Version
}

/** Whether the bytes were stored; where a condition failed, what stands there (`undefined`: nothing). */
export type SetOutcome =
  | { readonly written: true }
  | { readonly written: false; readonly current: Uint8Array | undefined }

/** Hears of whether messages are heard. */
export interface HearingListener {
  /** Messages may have been missed; from now on they are heard again. */
  onGap?(): void
  /** As soon as it is known that none are heard. */
  onLost?(): void
  /** As in {@link TrackingListener}. */
  onProved?(holdsFor: Milliseconds): void
}

/** Hears of changed keys. */
export interface TrackingListener {
  /** These keys were written, removed, evicted or expired; without any: any of them may have been. */
  onChange(keys: readonly string[] | undefined): void
  /** Whether changes are heard from now on. While they are not, what was known before must not be relied on. */
  onHearing(isHearing: boolean): void
  /**
   * All has been told of that was made before. In so many milliseconds that is proved again, or `onHearing` tells otherwise: a
   * process that was stopped for longer knows by its clock, before any timer, that it may have missed something. A backend
   * that cannot lose touch unnoticed never calls it.
   */
  onProved?(holdsFor: Milliseconds): void
}

/** Tracks keys until it is closed. */
export interface Tracking {
  /** Resolves with whether changes are heard, once all have been told of that were made before. */
  prove(): Promise<boolean>
  close(): void
}

/** Ends a subscription. */
export interface Subscription {
  close(): Promise<void>
}

/** A change of a backend's connection. */
export type ConnectionChange =
  | { readonly status: 'ready' }
  | { readonly status: 'lost'; readonly cause: Error | undefined }

/**
 * Identifies the content of an entry: the hex SHA-1 of its bytes, which Redis can compute beside them. It tells
 * apart any two records, whoever wrote them and in whatever format, so a conditional write needs no field of its own.
 */
export type Version = string

/** Gives the version of an entry's bytes. */
export function versionOf(value: Uint8Array): Version {
  return hash('sha1', value)
}

/** The answer to every write that took place. */
export const written: SetOutcome = { written: true }
