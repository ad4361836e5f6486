import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { HoldfastError } from '../errors.ts'
import type { Bytes, Milliseconds } from '../units.ts'

/**
 * Bytes under keys in this process, synchronous and bounded by entries and by bytes: the least recently used go first.
 * Expiry is exact to the millisecond: an entry with a ttl of t set at n is there at n + t - 1 and gone at n + t.
 */
export interface MemoryTable {
  readonly size: number
  readonly bytes: Bytes
  /** Gives the stored bytes themselves, which must not be changed. */
  get(key: string): Uint8Array | undefined
  /** Stores a copy. Throws `ERR_HOLDFAST_VALUE_TOO_LARGE`, and leaves what stood there, if it exceeds the whole bound. */
  set(key: string, value: Uint8Array, ttl?: Milliseconds): void
  delete(key: string): boolean
  touch(key: string, ttl: Milliseconds): boolean
  keys(prefix: string): string[]
  clear(): void
}

interface Slot {
  readonly value: Uint8Array
  expiresAt: number
}

/** What an entry costs besides its key and value, roughly. */
const overhead = 150

export function createMemoryTable(options: { clock: Clock; maxEntries: number; maxBytes: Bytes }): MemoryTable {
  const { clock, maxEntries, maxBytes } = options
  const slots = new LRUCache<string, Slot>({ max: maxEntries, maxSize: maxBytes })

  function live(key: string): Slot | undefined {
    const slot = slots.get(key)
    if (!slot || slot.expiresAt > clock.now()) return slot
    slots.delete(key)
    return undefined
  }

  return {
    get size() {
      return slots.size
    },
    get bytes() {
      return slots.calculatedSize
    },
    get: (key) => live(key)?.value,
    set(key, value, ttl = Infinity) {
      const size = overhead + key.length * 2 + value.length
      if (size > maxBytes) {
        throw new HoldfastError(
          'ERR_HOLDFAST_VALUE_TOO_LARGE',
          `A value of ${value.length} bytes exceeds the memory of ${maxBytes} bytes.`,
        )
      }
      slots.set(key, { value: Uint8Array.from(value), expiresAt: clock.now() + ttl }, { size })
    },
    delete: (key) => live(key) !== undefined && slots.delete(key),
    touch(key, ttl) {
      const slot = live(key)
      if (slot) slot.expiresAt = clock.now() + ttl
      return slot !== undefined
    },
    keys: (prefix) => [...slots.keys()].filter((key) => key.startsWith(prefix) && slots.peek(key)!.expiresAt > clock.now()),
    clear: () => slots.clear(),
  }
}
