import {
  parseCount,
  parseDuration,
  parseSize,
  type Bytes,
  type Duration,
  type Milliseconds,
  type Size,
} from '../units.ts'
import { createS3Fifo } from './s3-fifo.ts'
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
  /** Until when it is fresh, in ms since the epoch; 0: for ever. Not served from here beyond. */
  readonly freshUntil: number
  readonly madeAt: number
}

interface Kept extends NearEntry {
  /** Until when it may be served from here. */
  readonly until: number
}

/** Where a read begins among the changes that were heard; -1 where they are not heard. */
export type Begun = number

/** Values in this process' memory that are served without asking, as long as every change is heard of. By the caller's keys. */
export interface Near {
  get(key: string): NearEntry | undefined
  /** Begins a read; has to be ended once. What it gives may be kept, unless the key changes meanwhile. */
  begin(): Begun
  /** Ends a read; its value is kept if that is worth it. */
  keep(key: string, begun: Begun, entry: NearEntry, size: Bytes): void
  /** Ends a read that gave nothing to keep. */
  end(): void
  /** These have changed, or, without any, all may have. */
  drop(keys?: readonly string[]): void
  size(): number
  bytes(): Bytes
}

const overhead: Bytes = 200
/** How many changes are told apart while reads are under way; with more, none of these reads is kept. */
const changesApart = 10_000

export function createNear(
  given: NearOptions | true,
  { now, isOn }: { readonly now: () => number; readonly isOn: (now?: number) => boolean },
): Near {
  const options = given === true ? {} : given
  const maxAge: Milliseconds = parseDuration('near.maxAge', options.maxAge ?? 300_000, { min: 1 })
  const maxEntries = parseCount('near.maxEntries', options.maxEntries ?? 10_000, { min: 1, max: 10_000_000 })
  const maxBytes = parseSize('near.maxBytes', options.maxBytes ?? '64MB', { min: 1_024 })
  const entries = createS3Fifo<Kept>(maxEntries, maxBytes)
  let changes = 0
  let allChanged = 0
  const changed = new Map<string, number>()
  let underWay = 0

  function end(): void {
    if (--underWay === 0) changed.clear()
  }

  function hasChanged(key: string, begun: Begun): boolean {
    return allChanged > begun || (changed.size > 0 && (changed.get(key) ?? 0) > begun)
  }

  return {
    get(key) {
      const kept = entries.get(key)
      if (kept === undefined) return undefined
      const at = now()
      if (!isOn(at)) return undefined
      if (kept.until <= at) {
        entries.delete(key)
        return undefined
      }
      return kept
    },
    begin() {
      underWay++
      return isOn() ? changes : -1
    },
    keep(key, begun, { value, generation, tags, freshUntil, madeAt }, size) {
      const isTrue = isOn() && !hasChanged(key, begun)
      end()
      if (!isTrue) return
      const until = Math.min(now() + maxAge, freshUntil || Infinity)
      entries.set(key, { until, value, generation, tags, freshUntil, madeAt }, size + overhead)
    },
    end,
    drop(keys) {
      changes++
      if (keys === undefined) {
        entries.clear()
        allChanged = changes
        return
      }
      for (const key of keys) {
        entries.delete(key)
        if (underWay > 0) changed.set(key, changes)
      }
      if (changed.size <= changesApart) return
      changed.clear()
      allChanged = changes
    },
    size: entries.size,
    bytes: entries.bytes,
  }
}
