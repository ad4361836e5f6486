import type { Milliseconds } from '../units.ts'

/**
 * Where an answer comes from: the primary, this process' memory, or a source outside of both that the caller vouches for
 * (a session's continuity token), which the primary may know better.
 */
export type Origin = 'primary' | 'fallback' | 'assumed'

/** An entry that was found. */
export interface Found {
  readonly status: 'found'
  readonly value: unknown
  /** The entry as it is stored; what a conditional write is compared with. */
  readonly bytes: Uint8Array
  /** When it was written, in ms since the epoch, later with each write; 0 where the entry does not say. */
  readonly revision: number
  /** A time to which the concern gives its meaning, in ms since the epoch; 0 for none. */
  readonly stamp: number
  /** When it ends at the latest, in ms since the epoch; 0 for no such end. */
  readonly endsAt: number
  readonly origin: Origin
  /** What it was made of, where the primary has not heard of it yet. */
  readonly basis?: BasisOf | undefined
  /** How far it is from what the primary had, where a caller who vouches for it says so. */
  readonly since?: Since | undefined
}

/** How far an entry is from what the primary had of it for sure. */
export interface Since {
  /** 0: the primary never had it. */
  readonly revision: number
  /** The names of the parts that were changed since. */
  readonly changed: readonly string[]
}

/** What an undecided entry was made of. */
export interface BasisOf {
  readonly value: unknown
  /** 0: nothing was known. */
  readonly revision: number
  /** Where it did not come from the primary as it is: what the primary had, and what others have changed since. */
  readonly since?: Since | undefined
  /** It did not come from the primary, which may have it in another form, or not at all. */
  readonly isAssumed: boolean
}

/** What a read came to. `unknown`: the primary could not be asked, and this process does not know. Never an absence. */
export type Reading =
  | Found
  | {
      readonly status: 'missing'
      readonly origin: Origin
      /** What this process had of it until the primary said that it is gone. */
      readonly copy?: Found
    }
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
  /** A time to which the concern gives its meaning; 0, the default, for none. */
  readonly stamp?: number
  /** Later than any revision this write is based on. Left out: the next one. */
  readonly revision?: number
  /**
   * What the write is based on; it is stored only if that still holds. An entry found: over this very entry only; an
   * assumed one: only where there is none, as the primary may have another. `absent`: only where there is none. Left out:
   * always.
   */
  readonly over?: Found | 'absent'
  /** What the difference is measured from, where the primary has to hear of it later; left out: from `over`. */
  readonly basis?: Found | undefined
  /** `false`: where the primary cannot be told, this process goes by it, and decides nothing. Default: `true`. */
  readonly decides?: boolean
}
