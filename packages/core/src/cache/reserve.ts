import type { MemoryTable } from '../backend/memory-table.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { Scoped } from '../envelope/scoped.ts'

/**
 * Copies of entries that have a grace, for when neither the primary nor the factory gives a value. They are kept as they
 * are stored, so each caller gets a value of its own.
 */
export interface Reserve {
  get(wireKey: string): Scoped | undefined
  keep(wireKey: string, bytes: Uint8Array, endsAt: number): void
  drop(wireKey: string): void
}

export function createReserve({
  copies,
  envelopes,
  clock,
}: {
  readonly copies: MemoryTable
  readonly envelopes: Envelopes
  readonly clock: Clock
}): Reserve {
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
    drop(wireKey) {
      if (copies.get(wireKey)?.length !== 0) copies.delete(wireKey)
    },
  }
}
