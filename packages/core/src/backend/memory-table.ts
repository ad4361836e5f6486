import { Buffer } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { HoldfastError, optionError } from '../errors.ts'
import { parseCount, type Bytes, type Milliseconds } from '../units.ts'

/**
 * Keeps bytes under keys in this process, until they expire or give way to others: beyond either bound the least
 * recently used goes. An entry with ttl t that was set at time n is there at n + t - 1 and gone at n + t.
 */
export interface MemoryTable {
  /** Gives the bytes, or `undefined`. They are shared with the table and must not be written to. */
  get(key: string): Uint8Array | undefined
  /**
   * Keeps a copy of bytes; without a ttl they do not expire. Throws `ERR_HOLDFAST_VALUE_TOO_LARGE` for an entry that is
   * beyond the bound by itself, and leaves what is there.
   */
  set(key: string, value: Uint8Array, ttl?: Milliseconds): void
  /** Removes an entry; tells whether it was there. */
  delete(key: string): boolean
  /** Gives an entry a new ttl, counted from now; tells whether it was there. */
  touch(key: string, ttl: Milliseconds): boolean
  /** Gives the keys that start with a prefix. */
  keys(prefix: string): string[]
  /** Gives when an entry expires, in milliseconds since the epoch; `Infinity`: never. `undefined`: there is none. */
  expiresAt(key: string): number | undefined
  clear(): void
  /** How many entries are held. Those that expired count until they are met. */
  size(): number
  /** What they take: keys, values and {@link entryOverhead} each. */
  bytes(): Bytes
}

export interface MemoryTableOptions {
  readonly clock: Pick<Clock, 'now'>
  /** 1 to 10 million. */
  readonly maxEntries: number
  readonly maxBytes: Bytes
  /** Called each time an entry that had not expired gives way to others. */
  readonly onEvict?: (() => void) | undefined
}

interface Entry {
  readonly bytes: Uint8Array
  expiresAt: number
}

/** What an entry takes beside its key and value: about 500 bytes were measured on Node 24, most of it the buffer's own. */
export const entryOverhead: Bytes = 512

/** Creates a memory table. It sets no timers: what expired goes when it is met or gives way. */
export function createMemoryTable({ clock, maxEntries, maxBytes, onEvict }: MemoryTableOptions): MemoryTable {
  const most = parseCount('maxEntries', maxEntries, { min: 1, max: 10_000_000 })
  // Not by lru-cache's `max`, which makes room for so many at once: that takes 20 ms for 100,000.
  const entries = new LRUCache<string, Entry>({
    maxSize: parseCount('maxBytes', maxBytes, { min: 1024 }),
    dispose(entry, _key, reason) {
      if (reason === 'evict' && onEvict && entry.expiresAt > clock.now()) onEvict()
    },
  })

  function live(key: string): Entry | undefined {
    // As it mostly is where nothing is mirrored; which is faster to see than to look for.
    if (entries.size === 0) return undefined
    const entry = entries.get(key)
    if (entry === undefined || entry.expiresAt > clock.now()) return entry
    entries.delete(key)
    return undefined
  }

  return {
    get: (key) => live(key)?.bytes,
    set(key, value, ttl) {
      const expiresAt = ttl === undefined ? Infinity : clock.now() + checkedTtl(ttl)
      const size = Buffer.byteLength(key) + value.length + entryOverhead
      if (size > maxBytes) throw tooLarge(size, maxBytes)
      // A buffer of its own: a slice would keep the whole chunk that it came in.
      entries.set(key, { bytes: new Uint8Array(value), expiresAt }, { size })
      if (entries.size > most) entries.pop()
    },
    delete: (key) => live(key) !== undefined && entries.delete(key),
    touch(key, ttl) {
      const expiresAt = clock.now() + checkedTtl(ttl)
      const entry = live(key)
      if (entry) entry.expiresAt = expiresAt
      return entry !== undefined
    },
    keys(prefix) {
      const now = clock.now()
      const found: string[] = []
      const expired: string[] = []
      for (const [key, { expiresAt }] of entries.entries()) {
        if (expiresAt <= now) expired.push(key)
        else if (key.startsWith(prefix)) found.push(key)
      }
      for (const key of expired) entries.delete(key)
      return found
    },
    expiresAt(key) {
      const entry = entries.peek(key)
      return entry && entry.expiresAt > clock.now() ? entry.expiresAt : undefined
    },
    clear: () => entries.clear(),
    size: () => entries.size,
    bytes: () => entries.calculatedSize,
  }
}

/** Gives a ttl back if it can be one. */
export function checkedTtl(ttl: Milliseconds): Milliseconds {
  if (ttl > 0 && ttl !== Infinity) return ttl
  throw optionError('ttl', 'more than 0 milliseconds, or left out', ttl)
}

function tooLarge(size: Bytes, limit: Bytes): HoldfastError {
  const message = `The entry takes ${size} bytes of memory, with its key and ${entryOverhead} bytes besides; the bound is ${limit}.`
  return new HoldfastError('ERR_HOLDFAST_VALUE_TOO_LARGE', message)
}
