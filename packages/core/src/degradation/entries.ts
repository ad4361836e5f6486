import type { Availability } from '../availability/availability.ts'
import { versionOf, type Backend, type SetOptions } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import type { Events } from '../events.ts'
import type { Keyspace } from '../keys.ts'
import type { Milliseconds } from '../units.ts'
import type { Epoch } from './epoch.ts'
import { createFunnel } from './funnel.ts'
import type { Base, Journal } from './journal.ts'
import { keepSettled } from './keep-settled.ts'
import { createKeyLists, type KeyLists } from './key-lists.ts'
import type { Knowledge } from './knowledge.ts'
import { createReader } from './reader.ts'
import type { BasisOf, Found, Origin, Reading, Stored, StoreOptions } from './reading.ts'
import { createRevisions } from './revision.ts'
import type { Rule } from './rules.ts'
import { settleJournal, type Reconcile } from './settle.ts'

/** Values under keys, through the funnel: what every engine builds on. */
export interface Entries extends KeyLists {
  get(key: string): Promise<Reading>
  /** Reads many entries in one round trip. */
  getMany(keys: readonly string[]): Promise<Reading[]>
  set(key: string, value: unknown, options?: StoreOptions): Promise<Stored>
  /**
   * Removes an entry, in a way of the caller's own where it says how to ask the primary; tells whether the primary says that
   * there was one.
   */
  delete(key: string, ask?: (wireKey: string) => Promise<unknown>): Promise<boolean>
  /** Extends an entry; `false` when there is none. */
  touch(key: string, ttl: Milliseconds): Promise<boolean>
  /** Asks the primary for something beside the entries, by the same rule; resolves also while it cannot be asked. */
  tell(operation: () => Promise<unknown>): Promise<void>
  /** Makes an entry of what the caller knows from elsewhere: the primary may have another, or none. */
  assume(key: string, value: unknown, meta: Meta): Found
  /** The same, and this process goes by it from now on while the primary is away. No decision: the primary is not told. */
  adopt(key: string, value: unknown, meta: Meta & { readonly ttl: Milliseconds }): Found
  /** What this process knows of an entry by itself, at once. */
  peek(key: string): Reading
  /** Gives the key under which an entry is stored. */
  wireKey(key: string): string
  /** Gives the key back, but for one that is stored hashed. */
  keyOf(wireKey: string): string | undefined
  /** Gives a revision that is later than any before it in this process, and than `after`. */
  revise(after?: number): number
}

export interface EntriesOptions {
  readonly concern: string
  readonly rule: Rule
  readonly backend: Backend
  readonly availability: Availability
  readonly keyspace: Keyspace
  readonly envelopes: Envelopes
  readonly knowledge: Knowledge
  readonly journal: Journal
  readonly epoch: Epoch
  readonly events: Events
  readonly clock: Clock
  /** How long a copy of an entry that was read is good for. */
  readonly ttlOf: (value: unknown) => Milliseconds
  /** Makes one value of two that were written apart. Left out: the later one stays. */
  readonly reconcile?: Reconcile
  /** Whether somebody ended what an entry stands for: then no write brings it back. */
  readonly isEnded: (wireKey: string, entry: { readonly value: unknown; readonly stamp: number }) => boolean
  /** Whether a value is of this concern's kind; what is not is treated as unreadable. */
  readonly accepts: (value: unknown) => boolean
}

type Meta = Pick<Found, 'revision' | 'stamp' | 'endsAt' | 'since'>

/** How long a copy of an entry that was read is good for, in ms; the entry itself does not say how long it lives. */
export const copyTtl: Milliseconds = 60_000
/** When to try again to settle a decision while the circuit is closed. */
const settleSoon = 100

/** Creates the entries of one concern. */
export function createEntries(options: EntriesOptions): Entries {
  const { rule, backend, availability, keyspace, envelopes, knowledge, journal, clock } = options
  const ask = createFunnel(availability, rule)
  const mirrors = rule.mirror && backend.capabilities.shared
  const reader = createReader({ ...options, ask, mirrors })
  const revise = createRevisions(clock.now)
  const settleLater = keepSettled({
    availability,
    clock,
    settle: ({ call }) => settleJournal({ ...options, call }),
    isSettled: () => journal.size() === 0,
    longestPause: settleSoon,
  })

  function get(key: string): Promise<Reading> {
    let wireKey: string
    try {
      wireKey = keyspace.wireKey(key)
    } catch (error) {
      return Promise.reject(error)
    }
    if (knowledge.isUndecided(wireKey)) return Promise.resolve(knowledge.read(wireKey))
    return ask('read', {
      primary: () => backend.get(wireKey),
      answered: (bytes) => reader.fromPrimary(wireKey, bytes),
      degraded: () => reader.fromMemory(wireKey),
      rejected: (fault) => reader.unreadable(fault.code),
    })
  }

  async function getMany(keys: readonly string[]): Promise<Reading[]> {
    const wireKeys = keys.map((key) => keyspace.wireKey(key))
    return ask<readonly (Uint8Array | undefined)[], Reading[]>('read', {
      primary: () => backend.getMany(wireKeys),
      answered(values) {
        const readings = wireKeys.map((wireKey, i) =>
          knowledge.isUndecided(wireKey) ? knowledge.read(wireKey) : reader.fromPrimary(wireKey, values[i]),
        )
        const isWaiting = readings.some((reading) => reading instanceof Promise)
        return isWaiting ? Promise.all(readings) : (readings as Reading[])
      },
      degraded: () => wireKeys.map(reader.fromMemory),
    })
  }

  function set(key: string, value: unknown, options?: StoreOptions): Promise<Stored> {
    try {
      return write(keyspace.wireKey(key), value, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function write(wireKey: string, value: unknown, given: StoreOptions = unconditional): Promise<Stored> {
    const { ttl, endsAt = 0, stamp = 0, over } = given
    const revision = given.revision ?? revise(typeof over === 'object' ? over.revision : 0)
    const bytes = envelopes.seal(wireKey, value, { revision, stamp, endsAt })
    const base = baseOf(over)
    const entry = (origin: Origin, basis?: BasisOf): Stored => ({
      status: 'stored',
      entry: { status: 'found', value, bytes, revision, stamp, endsAt, origin, basis },
    })
    const degraded = (sent: boolean): Stored => {
      if (given.decides === false) {
        knowledge.keep(wireKey, bytes, ttl)
        return entry('fallback')
      }
      const basis = given.basis && baseOf(given.basis)
      const current = decide(() => knowledge.write(wireKey, { bytes, ttl, base, basis, sent }))
      if (current) return { status: 'conflict', current }
      // What it is made of counts on: without it, the entry would pass for one that the primary has had.
      return entry('fallback', knowledge.basisOf(wireKey))
    }
    const earlier = journal.get(wireKey)
    // Whatever was decided before, this overrules it: an entry that is written all the time would never be settled otherwise.
    const overrules = base === 'any' && given.decides !== false
    if (earlier && !overrules) return Promise.resolve(degraded(false))

    return ask('write', {
      primary: () => backend.set(wireKey, bytes, conditional(base, ttl)),
      answered(outcome): Stored | Promise<Stored> {
        if (!outcome.written) return conflict(wireKey, outcome.current)
        if (earlier) journal.settle(wireKey, earlier)
        if (mirrors) knowledge.keep(wireKey, bytes, ttl)
        return entry('primary')
      },
      degraded: (fault) => degraded(fault !== undefined),
    })
  }

  async function conflict(wireKey: string, bytes: Uint8Array | undefined): Promise<Stored> {
    return { status: 'conflict', current: await reader.fromPrimary(wireKey, bytes) }
  }

  async function remove(
    key: string,
    removing: (wireKey: string) => Promise<unknown> = (found) => backend.delete(found),
  ): Promise<boolean> {
    const wireKey = keyspace.wireKey(key)
    if (mirrors) knowledge.markRemoved(wireKey)
    const degraded = (): boolean => {
      decide(() => knowledge.remove(wireKey))
      return false
    }
    return ask('write', {
      primary: () => removing(wireKey),
      answered(wasThere) {
        // A decision of before is overruled, or settling it would bring the entry back.
        if (knowledge.isUndecided(wireKey)) degraded()
        return wasThere === true
      },
      degraded,
    })
  }

  async function touch(key: string, ttl: Milliseconds): Promise<boolean> {
    const wireKey = keyspace.wireKey(key)
    const degraded = (): boolean => decide(() => knowledge.touch(wireKey, ttl))
    if (knowledge.isUndecided(wireKey)) return degraded()
    return ask('write', {
      primary: () => backend.touch(wireKey, ttl),
      answered(there) {
        if (there && mirrors) knowledge.extend(wireKey, ttl)
        return there
      },
      degraded,
    })
  }

  /** Decides without the primary, which hears of it as soon as it can. */
  function decide<T>(decision: () => T): T {
    const result = decision()
    settleLater()
    return result
  }

  function assume(key: string, value: unknown, meta: Meta): Found {
    const bytes = envelopes.seal(keyspace.wireKey(key), value, meta)
    return { status: 'found', value, bytes, ...meta, origin: 'assumed' }
  }

  function adopt(key: string, value: unknown, { ttl, ...meta }: Meta & { ttl: Milliseconds }): Found {
    const entry = assume(key, value, meta)
    knowledge.keep(keyspace.wireKey(key), entry.bytes, ttl, meta.since)
    return { ...entry, origin: 'fallback' }
  }

  async function tell(operation: () => Promise<unknown>): Promise<void> {
    await ask('write', { primary: operation, answered: () => undefined, degraded: () => undefined })
  }

  return {
    get,
    getMany,
    set,
    delete: remove,
    touch,
    ...createKeyLists({ ask, backend, keyspace, knowledge }),
    tell,
    assume,
    adopt,
    peek: (key) => knowledge.read(keyspace.wireKey(key)),
    wireKey: keyspace.wireKey,
    keyOf: keyspace.keyOf,
    revise,
  }
}

const unconditional: StoreOptions = {}

function baseOf(over: StoreOptions['over']): Base {
  if (over === undefined) return 'any'
  return over === 'absent'
    ? over
    : { bytes: over.bytes, isAssumed: over.origin === 'assumed', since: over.since }
}

const always: SetOptions = {}

function conditional(base: Base, ttl: Milliseconds | undefined): SetOptions {
  const expiry = ttl === undefined ? always : { ttl }
  if (base === 'any') return expiry
  return base === 'absent' || base.isAssumed
    ? { ...expiry, ifAbsent: true }
    : { ...expiry, ifVersion: versionOf(base.bytes) }
}
