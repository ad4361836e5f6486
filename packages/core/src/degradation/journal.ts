import type { Version } from '../backend/backend.ts'
import type { Bytes } from '../units.ts'
import type { Since } from './reading.ts'

/** What a write was based on: `absent`: nothing, the entry is new; `any`: whatever was there; or these bytes. */
export type Base = 'absent' | 'any' | Basis

/** The entry that a write was based on. */
export interface Basis {
  readonly bytes: Uint8Array
  /** It did not come from the primary, which may have another: what is there is completed, not replaced. */
  readonly isAssumed: boolean
  readonly since?: Since | undefined
}

/** A decision that the primary has not heard of yet. */
export type Decision =
  | {
      readonly kind: 'set'
      readonly bytes: Uint8Array
      /** When the entry expires, in ms since the epoch; `Infinity` for never. */
      readonly expiresAt: number
      readonly base: Base
      /** Versions that were sent and given up: the primary may have taken them after all. */
      readonly attempts: readonly Version[]
    }
  | { readonly kind: 'delete' }
  | { readonly kind: 'touch'; readonly expiresAt: number }

/** The decisions of an outage, the last one of each key, in the order in which the keys came up. */
export interface Journal {
  size(): number
  get(wireKey: string): Decision | undefined
  put(wireKey: string, decision: Decision): void
  /** Forgets a decision, if it still is this one. */
  settle(wireKey: string, decision: Decision): void
  /** The keys with a decision, in the order in which they came up. */
  wireKeys(): string[]
}

const overhead = 200

/** Creates a journal. When it is full the oldest decision gives way, and `onOverflow` hears of it. */
export function createJournal(options: {
  maxEntries: number
  maxBytes: Bytes
  onOverflow: () => void
}): Journal {
  const decisions = new Map<string, Decision>()
  let bytes = 0

  function remove(wireKey: string): void {
    const decision = decisions.get(wireKey)
    if (!decision) return
    decisions.delete(wireKey)
    bytes -= sizeOf(wireKey, decision)
  }

  return {
    size: () => decisions.size,
    // Asked with each call: a key that was just put together is not hashed for nothing.
    get: (wireKey) => (decisions.size > 0 ? decisions.get(wireKey) : undefined),
    put(wireKey, decision) {
      remove(wireKey)
      decisions.set(wireKey, decision)
      bytes += sizeOf(wireKey, decision)
      while (decisions.size > options.maxEntries || (bytes > options.maxBytes && decisions.size > 1)) {
        remove(decisions.keys().next().value!)
        options.onOverflow()
      }
    },
    settle(wireKey, decision) {
      if (decisions.get(wireKey) === decision) remove(wireKey)
    },
    wireKeys: () => [...decisions.keys()],
  }
}

function sizeOf(wireKey: string, decision: Decision): Bytes {
  if (decision.kind !== 'set') return overhead + wireKey.length
  const { bytes, base } = decision
  return overhead + wireKey.length + bytes.length + (typeof base === 'string' ? 0 : base.bytes.length)
}
