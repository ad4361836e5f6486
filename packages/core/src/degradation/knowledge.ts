import { versionOf } from '../backend/backend.ts'
import type { MemoryTable } from '../backend/memory-table.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import type { Milliseconds } from '../units.ts'
import type { Base, Decision, Journal } from './journal.ts'
import type { BasisOf, Reading, Since } from './reading.ts'
import type { Rule } from './rules.ts'

/** A write to be decided without the primary. */
export interface Write {
  readonly bytes: Uint8Array
  /** Milliseconds; left out: does not expire. */
  readonly ttl: Milliseconds | undefined
  readonly base: Base
  /** What the difference is measured from when it is settled; left out: what the first write was based on. */
  readonly basis?: Base | undefined
  /** Whether it was sent to the primary and given up. */
  readonly sent: boolean
}

/**
 * What this process knows by itself: copies of what the primary answered, what was removed here, and the decisions
 * that the primary has not heard of. It answers while the primary cannot.
 */
export interface Knowledge {
  /** Whether a decision on this key still has to reach the primary; until then it outranks the primary's answer. */
  isUndecided(wireKey: string): boolean
  read(wireKey: string): Reading
  /** What the decision on an entry was made of; `undefined` where there is none, or that does not matter. */
  basisOf(wireKey: string): BasisOf | undefined
  /** Keeps a copy of what the primary answered, unless this process has removed the entry meanwhile. */
  remember(wireKey: string, bytes: Uint8Array, ttl: Milliseconds): void
  /**
   * Keeps a copy of what was written, or of what the caller vouches for; then with how far it is from what the primary had.
   * One that memory has no room for is a copy less, not an error.
   */
  keep(wireKey: string, bytes: Uint8Array, ttl: Milliseconds | undefined, since?: Since): void
  /** The primary has no such entry (any more). */
  forget(wireKey: string): void
  /** The entry was removed here; an answer still under way cannot bring it back. */
  markRemoved(wireKey: string): void
  /** Decides a write; gives what contradicts it, if anything does. */
  write(wireKey: string, write: Write): Reading | undefined
  remove(wireKey: string): void
  /** Extends an entry; `false` when it is known not to be there. */
  touch(wireKey: string, ttl: Milliseconds): boolean
  /** Extends the copy only. */
  extend(wireKey: string, ttl: Milliseconds): void
  wireKeys(prefix: string): string[]
}

/** How long a process remembers what it removed. */
const rememberRemoved = 600_000
const removed = Buffer.alloc(0)

export function createKnowledge(options: {
  readonly rule: Rule
  readonly copies: MemoryTable
  readonly journal: Journal
  readonly envelopes: Envelopes
  readonly clock: Clock
}): Knowledge {
  const { rule, copies, journal, envelopes, clock } = options
  /** Of copies that the primary never had as they are. */
  const vouched = new WeakMap<Uint8Array, Since>()

  function read(wireKey: string): Reading {
    const decision = journal.get(wireKey)
    if (decision?.kind === 'delete') return { status: 'missing', origin: 'fallback' }
    if (decision?.kind === 'set' && decision.expiresAt <= clock.now())
      return { status: 'missing', origin: 'fallback' }
    const bytes = decision?.kind === 'set' ? decision.bytes : copies.get(wireKey)
    if (bytes === undefined) return { status: 'unknown' }
    if (bytes.length === 0) return { status: 'missing', origin: 'fallback' }
    const opened = envelopes.open(wireKey, bytes)
    if (opened.status !== 'opened') return { status: 'unknown' }
    const { value, revision, stamp, endsAt } = opened
    const basis = basisOf(wireKey)
    const since = vouched.get(bytes)
    return { status: 'found', value, bytes, revision, stamp, endsAt, origin: 'fallback', basis, since }
  }

  function basisOf(wireKey: string): BasisOf | undefined {
    const decision = journal.get(wireKey)
    if (decision?.kind !== 'set' || decision.base === 'any') return undefined
    const { base } = decision
    if (base === 'absent') return { value: {}, revision: 0, isAssumed: false }
    const { isAssumed, since } = base
    const opened = envelopes.open(wireKey, base.bytes)
    if (opened.status !== 'opened') return { value: {}, revision: 0, isAssumed }
    return { value: opened.value, revision: opened.revision, isAssumed, since }
  }

  function keep(wireKey: string, bytes: Uint8Array, ttl: Milliseconds | undefined, since?: Since): void {
    try {
      copies.set(wireKey, bytes, ttl)
    } catch {
      copies.delete(wireKey)
    }
    const kept = since && copies.get(wireKey)
    if (kept) vouched.set(kept, since)
  }

  function isRemoved(wireKey: string): boolean {
    return copies.get(wireKey)?.length === 0
  }

  return {
    isUndecided: (wireKey) => journal.get(wireKey) !== undefined,
    read,
    basisOf,
    keep,
    remember(wireKey, bytes, ttl) {
      const known = copies.get(wireKey)
      if (known?.length === 0) return
      if (known && Buffer.compare(known, bytes) === 0) {
        copies.touch(wireKey, ttl)
        vouched.delete(known)
      } else keep(wireKey, bytes, ttl)
    },
    forget(wireKey) {
      if (!isRemoved(wireKey)) copies.delete(wireKey)
    },
    markRemoved: (wireKey) => keep(wireKey, removed, rememberRemoved),
    write(wireKey, { bytes, ttl, base, basis, sent }) {
      const current = read(wireKey)
      if (current.status !== 'unknown' && !holds(base, current)) return current
      const earlier = journal.get(wireKey)
      if (rule.write === 'invalidate') journal.put(wireKey, { kind: 'delete' })
      else keep(wireKey, bytes, ttl)
      if (rule.write === 'journal') {
        journal.put(wireKey, {
          kind: 'set',
          bytes,
          expiresAt: ttl === undefined ? Infinity : clock.now() + ttl,
          ...(basis === undefined ? chained(earlier, base) : { base: basis }),
          attempts: [...attemptsOf(earlier), ...(sent ? [versionOf(bytes)] : [])],
        })
      }
      return undefined
    },
    remove(wireKey) {
      keep(wireKey, removed, rememberRemoved)
      if (rule.write !== 'fallback') journal.put(wireKey, { kind: 'delete' })
    },
    touch(wireKey, ttl) {
      const current = read(wireKey)
      if (current.status !== 'found') return current.status === 'unknown'
      copies.touch(wireKey, ttl)
      if (rule.write !== 'journal') return true
      const decision = journal.get(wireKey)
      const expiresAt = clock.now() + ttl
      journal.put(
        wireKey,
        decision?.kind === 'set' ? { ...decision, expiresAt } : { kind: 'touch', expiresAt },
      )
      return true
    },
    extend(wireKey, ttl) {
      if (!isRemoved(wireKey)) copies.touch(wireKey, ttl)
    },
    wireKeys(prefix) {
      const keys = new Set<string>(copies.keys(prefix))
      for (const wireKey of journal.wireKeys()) keys.add(wireKey)
      return [...keys].filter((wireKey) => wireKey.startsWith(prefix) && read(wireKey).status === 'found')
    },
  }
}

function holds(base: Base, current: Reading): boolean {
  if (base === 'any') return true
  if (current.status !== 'found') return base === 'absent' || base.isAssumed
  return base !== 'absent' && Buffer.compare(current.bytes, base.bytes) === 0
}

/** A write after a write is still based on what the first one was based on, for all that the primary knows. */
function chained(earlier: Decision | undefined, base: Base): { base: Base } {
  if (earlier?.kind === 'set') return { base: earlier.base }
  return { base: earlier?.kind === 'delete' ? 'any' : base }
}

function attemptsOf(earlier: Decision | undefined): readonly string[] {
  return earlier?.kind === 'set' ? earlier.attempts : []
}
