import type { Bytes } from '../units.ts'
import { createGhosts } from './ghosts.ts'

/** Keeps what is asked for again, within bounds. */
export interface S3Fifo<Value> {
  get(key: string): Value | undefined
  /** Keeps a value in place of the one with its key, and puts out others where there is no room. */
  set(key: string, value: Value, bytes: Bytes): void
  delete(key: string): void
  clear(): void
  size(): number
  bytes(): Bytes
}

interface Kept<Value> {
  readonly key: string
  readonly value: Value
  readonly bytes: Bytes
  /** How often it was asked for since it came or was last passed over, up to {@link mostUses}. */
  uses: number
  queue: Queue<Value>
  before: Kept<Value> | undefined
  after: Kept<Value> | undefined
}

// By simulation with popularity that stays, drifts and ends: docs/decisions/near-eviction.md.
const smallShare = 1 / 20
const ghostShare = 3 / 4
const mostUses = 3
/** So many in use are passed over in search of one that is not, so that nobody waits for the search. */
const mostPassedOver = 64

/**
 * Creates a store that decides by S3-FIFO what to put out (Yang et al., FIFO queues are all you need for cache eviction, 2023).
 * What is new waits in a small queue, through which passes what is asked for once. What is asked for again, there or soon after
 * it was put out, goes on into the main queue, which passes over what was asked for since. A hit moves nothing.
 */
export function createS3Fifo<Value>(maxEntries: number, maxBytes: Bytes): S3Fifo<Value> {
  const entries = new Map<string, Kept<Value>>()
  const small = new Queue<Value>()
  const main = new Queue<Value>()
  const ghosts = createGhosts(maxEntries * ghostShare)

  const bytes = (): Bytes => small.bytes + main.bytes

  function evict(): void {
    const isSmallFull = small.size > maxEntries * smallShare || small.bytes > maxBytes * smallShare
    if (isSmallFull || main.size === 0) evictFromSmall()
    else evictFromMain()
  }

  function evictFromSmall(): void {
    const entry = small.shift()
    if (entry.uses > 0) {
      entry.uses = 0
      main.push(entry)
    } else {
      entries.delete(entry.key)
      ghosts.add(entry.key)
    }
  }

  function evictFromMain(): void {
    for (let left = mostPassedOver; ; left--) {
      const entry = main.shift()
      if (entry.uses === 0 || left === 0) return void entries.delete(entry.key)
      entry.uses--
      main.push(entry)
    }
  }

  function remove(entry: Kept<Value>): void {
    entries.delete(entry.key)
    entry.queue.remove(entry)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (entry.uses < mostUses) entry.uses++
      return entry.value
    },
    set(key, value, size) {
      const former = entries.get(key)
      if (former) remove(former)
      if (size > maxBytes) return
      while (entries.size >= maxEntries || bytes() + size > maxBytes) evict()
      const queue = former?.queue === main || ghosts.take(key) ? main : small
      const entry = { key, value, bytes: size, uses: 0, queue, before: undefined, after: undefined }
      entries.set(key, entry)
      queue.push(entry)
    },
    delete(key) {
      const entry = entries.get(key)
      if (entry) remove(entry)
    },
    clear() {
      entries.clear()
      small.clear()
      main.clear()
    },
    size: () => entries.size,
    bytes,
  }
}

/** First in, first out, by links in the entries themselves. */
class Queue<Value> {
  size = 0
  bytes: Bytes = 0
  #first: Kept<Value> | undefined
  #last: Kept<Value> | undefined

  push(entry: Kept<Value>): void {
    entry.queue = this
    entry.before = this.#last
    entry.after = undefined
    if (this.#last) this.#last.after = entry
    else this.#first = entry
    this.#last = entry
    this.size++
    this.bytes += entry.bytes
  }

  /** Takes out the first; there is one. */
  shift(): Kept<Value> {
    const first = this.#first!
    this.remove(first)
    return first
  }

  remove(entry: Kept<Value>): void {
    const { before, after, bytes } = entry
    // An old entry that is dead keeps all that it leads to from being collected early.
    entry.before = entry.after = undefined
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    this.size--
    this.bytes -= bytes
  }

  clear(): void {
    this.#first = this.#last = undefined
    this.size = this.bytes = 0
  }
}
