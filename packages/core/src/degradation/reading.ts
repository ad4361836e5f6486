import type { Milliseconds } from '../units.ts'

/** Where an answer comes from. */
export type Origin = 'primary' | 'fallback'

/** An entry that was found. */
export interface Found {
  readonly status: 'found'
  readonly value: unknown
  /** The entry as it is stored; what a conditional write is compared with. */
  readonly bytes: Uint8Array
  /** When it was written, in ms since the epoch, later with each write; 0 where the entry does not say. */
  readonly revision: number
  /** When it ends at the latest, in ms since the epoch; 0 for no such end. */
  readonly endsAt: number
  readonly origin: Origin
}

/** What a read came to. `unknown`: the primary could not be asked, and this process does not know. Never an absence. */
export type Reading =
  | Found
  | { readonly status: 'missing'; readonly origin: Origin }
  | { readonly status: 'unknown' }

/** What a write came to: the entry as it stands now, or, on a conflict, what is there instead. */
export type Stored =
  | { readonly status: 'stored'; readonly entry: Found }
  | { readonly status: 'conflict'; readonly current: Reading }

/** How to store an entry. */
export interface StoreOptions {
  /** Milliseconds until the entry expires; left out: it does not. */
  readonly ttl?: Milliseconds
  /** When the entry ends at the latest, in ms since the epoch; 0, the default, for no such end. */
  readonly endsAt?: number
  /**
   * What the write is based on; it is stored only if that still holds. An entry found: over this very entry only.
   * `absent`: only where there is none. `unknown`: only where there is none, and completed by `reconcile` where the
   * primary turns out to have one. Left out: always.
   */
  readonly over?: Found | 'absent' | 'unknown'
}
