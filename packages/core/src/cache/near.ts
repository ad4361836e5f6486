import { LRUCache } from 'lru-cache'
import { optionError } from '../errors.ts'
import {
  parseCount,
  parseDuration,
  parseSize,
  type Bytes,
  type Duration,
  type Milliseconds,
  type Size,
} from '../units.ts'
import type { Scope } from './versions.ts'

/** The bounds of the near cache. */
export interface NearOptions {
  /** Default 10,000; 1 to 10 million. */
  readonly maxEntries?: number | undefined
  /** By the bytes in Redis, and 200 per entry; the objects take two to four times as much. Default 64 MB. */
  readonly maxBytes?: Size | undefined
  /** The longest that a value is served without asking Redis, whatever is heard; default 5 minutes. */
  readonly maxAge?: Duration | undefined
}

/** A value near at hand. */
export interface NearEntry extends Scope {
  /** Frozen. */
  readonly value: unknown
  /** Until when it is fresh, in ms since the epoch; 0: for ever. */
  readonly freshUntil: number
  /** When it ends, grace and all; 0: never. */
  readonly endsAt: number
  readonly madeAt: number
  /** Until when it may be served from here. */
  readonly nearUntil: number
}

/** A read under way: what it gives may be kept, unless the key changes meanwhile. */
export interface Pending {
  isChanged: boolean
}

/** Values in this process' memory that are served without asking, as long as every change is heard of. */
export interface Near {
  get(wireKey: string): NearEntry | undefined
  /** Begins a read; has to be ended by {@link Near.keep} or {@link Near.release}. */
  begin(wireKey: string): Pending
  keep(wireKey: string, pending: Pending, entry: Omit<NearEntry, 'nearUntil'>, size: Bytes): void
  release(wireKey: string, pending: Pending): void
  /** These have changed, or, without any, all may have. */
  drop(wireKeys?: readonly string[]): void
  readonly size: number
  readonly bytes: Bytes
}

const overhead: Bytes = 200

export function createNear(
  given: NearOptions | true,
  { now, isOn }: { readonly now: () => number; readonly isOn: () => boolean },
): Near {
  const options = given === true ? {} : given
  if (typeof options !== 'object' || options === null)
    throw optionError('near', 'true, false, or an object', given)
  const maxAge: Milliseconds = parseDuration('near.maxAge', options.maxAge ?? 300_000, { min: 1 })
  const entries = new LRUCache<string, NearEntry>({
    max: parseCount('near.maxEntries', options.maxEntries ?? 10_000, { min: 1, max: 10_000_000 }),
    maxSize: parseSize('near.maxBytes', options.maxBytes ?? '64MB', { min: 1_024 }),
  })
  /** The reads under way of each key. */
  const pending = new Map<string, Set<Pending>>()

  function release(wireKey: string, read: Pending): void {
    const reads = pending.get(wireKey)
    if (reads?.delete(read) && reads.size === 0) pending.delete(wireKey)
  }

  return {
    get(wireKey) {
      const entry = entries.get(wireKey)
      if (entry === undefined || !isOn()) return undefined
      if (entry.nearUntil > now()) return entry
      entries.delete(wireKey)
      return undefined
    },
    begin(wireKey) {
      const read: Pending = { isChanged: !isOn() }
      const reads = pending.get(wireKey)
      if (reads) reads.add(read)
      else pending.set(wireKey, new Set([read]))
      return read
    },
    keep(wireKey, read, entry, size) {
      release(wireKey, read)
      if (!read.isChanged && isOn())
        entries.set(wireKey, { ...entry, nearUntil: now() + maxAge }, { size: size + overhead })
    },
    release,
    drop(wireKeys) {
      if (wireKeys === undefined) {
        entries.clear()
        for (const reads of pending.values()) for (const read of reads) read.isChanged = true
        return
      }
      for (const wireKey of wireKeys) {
        entries.delete(wireKey)
        for (const read of pending.get(wireKey) ?? []) read.isChanged = true
      }
    },
    get size() {
      return entries.size
    },
    get bytes() {
      return entries.calculatedSize
    },
  }
}
