import type { MemoryTable } from '../backend/memory-table.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { Scoped } from '../envelope/scoped.ts'

/**
 * Copies of entries that have a grace, for when neither the primary nor the factory gives a value. They are kept as they
 * are stored, so each caller gets a value of its own. After an outage none is left of before: what others removed
 * in it must not be served in the next one.
 */
export interface Reserve {
  get(wireKey: string): Scoped | undefined
  keep(wireKey: string, bytes: Uint8Array, endsAt: number): void
  drop(wireKey: string): void
  /** Something later was seen, which is no copy to keep. */
  outdate(wireKey: string): void
  /** What others changed may not have been heard of. */
  dropAll(): void
}

export function createReserve({
  prefix,
  isMirror,
  copies,
  envelopes,
  clock,
}: {
  /** What the wire keys begin with. */
  readonly prefix: string
  /** Whether the copies stand in for the primary: then what was seen later is there already. */
  readonly isMirror: boolean
  readonly copies: MemoryTable
  readonly envelopes: Envelopes
  readonly clock: Clock
}): Reserve {
  function drop(wireKey: string): void {
    if (copies.get(wireKey)?.length !== 0) copies.delete(wireKey)
  }

  function dropAll(): void {
    for (const wireKey of copies.keys(prefix)) drop(wireKey)
  }

  return {
    get(wireKey) {
      const bytes = copies.get(wireKey)
      // What was removed here is marked by no bytes at all.
      if (bytes === undefined || bytes.length === 0) return undefined
      const opened = envelopes.open(wireKey, bytes)
      if (opened.status !== 'opened' || !(opened.value instanceof Scoped)) return undefined
      const hasGrace = opened.endsAt > opened.stamp && opened.endsAt > clock.now()
      return hasGrace ? opened.value : undefined
    },
    keep(wireKey, bytes, endsAt) {
      const ttl = endsAt - clock.now()
      if (ttl <= 0) return
      try {
        copies.set(wireKey, bytes, ttl)
      } catch {
        // Too large for all of memory: a copy less.
        copies.delete(wireKey)
      }
    },
    drop,
    outdate(wireKey) {
      if (!isMirror) drop(wireKey)
    },
    dropAll,
  }
}
