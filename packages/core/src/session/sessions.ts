import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Entries } from '../degradation/entries.ts'
import type { Found } from '../degradation/reading.ts'
import { HoldfastError } from '../errors.ts'
import { touchDue, type TtlPolicy } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'
import { changesIn, isSessionData, withChanges, type SessionData } from './session-data.ts'

/** What loading a session came to. Hand it to {@link Sessions.save}, so that the save knows what it is based on. */
export type Loaded =
  | { readonly status: 'found'; readonly data: SessionData; readonly entry: Found }
  /** There is no such session. */
  | { readonly status: 'missing' }
  /** Redis cannot be asked, and this process has not seen the session. The visitor's cookie must be left as it is. */
  | { readonly status: 'unknown' }

/** A session and its id. */
export interface SessionEntry {
  readonly id: string
  readonly data: SessionData
}

/**
 * Sessions that go on while Redis is away. A session that this process has seen is served from its memory, writes
 * included, and those reach Redis on recovery unless Redis has a newer one.
 *
 * Under the rule `memory` no method rejects because Redis is away, but for `clear`; under `refuse` all of them do, with
 * `ERR_HOLDFAST_UNAVAILABLE`.
 */
export interface Sessions {
  load(id: string): Promise<Loaded>
  /**
   * Stores a session; gives what a next save of the same request is based on. A session that was loaded and has been
   * ended meanwhile stays ended. Without `from` it is stored whatever is there. What was saved over an `unknown`
   * session is added to it key by key, once Redis can be asked.
   */
  save(id: string, data: SessionData, from?: Loaded): Promise<Loaded>
  /** Extends a session, if a set share of its ttl has passed since it was extended last. */
  touch(id: string, data: SessionData, from?: Loaded): Promise<void>
  /** Ends a session for good. While degraded it is refused at once by this process, and by all after recovery. */
  end(id: string): Promise<void>
  /** All ids; while degraded those that this process knows. */
  ids(): Promise<string[]>
  /** All sessions; while degraded those that this process knows. */
  all(): Promise<SessionEntry[]>
  /** How many there are; while degraded how many this process knows. */
  count(): Promise<number>
  /** Ends all sessions under the prefix. Rejects while degraded: it cannot be taken back from other processes then. */
  clear(): Promise<void>
}

export interface SessionsOptions {
  readonly entries: Entries
  readonly ttl: TtlPolicy
  /** The share of its ttl that has to pass before a session is extended; 0: each time. */
  readonly touchAfter: number
  readonly clock: Clock
  /** Resolves with whether the primary is there, once that is known. */
  readonly isHealthy: () => Promise<boolean>
}

/** Saves that meet a newer session each time give up after this many tries. */
const maxConflicts = 8
const rememberedExpiries = 50_000

/** Creates the session engine. */
export function createSessions({ entries, ttl, touchAfter, clock, isHealthy }: SessionsOptions): Sessions {
  /** Until when this process knows Redis to keep a session, so that it need not be told again. */
  const expiries = new LRUCache<string, number>({ max: rememberedExpiries })

  const saving = new Map<string, Promise<void>>()

  async function load(id: string): Promise<Loaded> {
    const reading = await entries.get(id)
    if (reading.status !== 'found') return reading.status === 'missing' ? { status: 'missing' } : reading
    if (reading.endsAt > 0 && reading.endsAt <= clock.now()) return { status: 'missing' }
    return loaded(reading)
  }

  /** Saves of one session in one process take their turns; only other processes can get in between. */
  function save(id: string, data: SessionData, from?: Loaded): Promise<Loaded> {
    const before = saving.get(id)
    const saved = before ? before.then(() => saveNow(id, data, from)) : saveNow(id, data, from)
    const done = saved.then(ignore, ignore).then(() => {
      if (saving.get(id) === done) saving.delete(id)
    })
    saving.set(id, done)
    return saved
  }

  async function saveNow(id: string, data: SessionData, from?: Loaded): Promise<Loaded> {
    if (from?.status === 'unknown') return saveUnknown(id, data)
    const endsAt = from?.status === 'found' ? from.entry.endsAt : ttl.endsAt(clock.now())
    const lifetime = lifetimeOf(data, endsAt)
    if (lifetime <= 0) return endNow(id)

    let over: Found | 'absent' = from?.status === 'found' ? from.entry : 'absent'
    for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
      const result = await entries.set(id, data, { ttl: lifetime, endsAt, over })
      if (result.status === 'stored') return extended(id, result.entry, lifetime)
      if (result.current.status === 'found') over = result.current
      else if (result.current.status === 'missing') {
        if (from?.status === 'found') return { status: 'missing' }
        over = 'absent'
      }
    }
    throw tooManyConflicts()
  }

  /** Saves what was changed in a session that nobody could show: added to what is there, never instead of it. */
  async function saveUnknown(id: string, data: SessionData): Promise<Loaded> {
    if (Object.keys(changesIn(data)).length === 0) return { status: 'unknown' }
    for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
      const current = await load(id)
      if (current.status === 'found') return saveNow(id, withChanges(current.data, data), current)
      const lifetime = lifetimeOf(data, 0)
      if (lifetime <= 0) return { status: 'missing' }
      const over = current.status === 'unknown' ? 'unknown' : 'absent'
      const result = await entries.set(id, data, { ttl: lifetime, endsAt: ttl.endsAt(clock.now()), over })
      if (result.status === 'stored') return extended(id, result.entry, lifetime)
    }
    throw tooManyConflicts()
  }

  async function touch(id: string, data: SessionData, from?: Loaded): Promise<void> {
    if (from?.status === 'unknown') return
    const entry = from?.status === 'found' ? from.entry : undefined
    const lifetime = lifetimeOf(data, entry?.endsAt ?? 0)
    if (lifetime <= 0) {
      await endNow(id)
      return
    }
    const known = expiries.get(id) ?? (entry && entry.revision > 0 ? entry.revision + lifetime : undefined)
    const now = clock.now()
    if (known !== undefined && !touchDue({ ttl: lifetime, remaining: known - now, share: touchAfter })) return
    if (await entries.touch(id, lifetime)) expiries.set(id, now + lifetime)
  }

  async function end(id: string): Promise<void> {
    expiries.delete(id)
    await entries.delete(id)
  }

  async function endNow(id: string): Promise<Loaded> {
    await end(id)
    return { status: 'missing' }
  }

  function lifetimeOf(data: SessionData, endsAt: number): Milliseconds {
    return ttl.ttlFor(data, { now: clock.now(), cookie: data.cookie, endsAt })
  }

  function extended(id: string, entry: Found, lifetime: Milliseconds): Loaded {
    expiries.set(id, clock.now() + lifetime)
    return loaded(entry)
  }

  async function ids(): Promise<string[]> {
    const all = new Set<string>()
    for await (const batch of entries.keys()) for (const id of batch) all.add(id)
    return [...all]
  }

  async function all(): Promise<SessionEntry[]> {
    const found = new Map<string, SessionData>()
    for await (const batch of entries.keys()) {
      if (batch.length === 0) continue
      const readings = await entries.getMany(batch)
      for (const [i, reading] of readings.entries()) {
        if (reading.status === 'found' && isSessionData(reading.value)) found.set(batch[i]!, reading.value)
      }
    }
    return [...found].map(([id, data]) => ({ id, data }))
  }

  async function clear(): Promise<void> {
    if (!(await isHealthy()))
      throw new HoldfastError('ERR_HOLDFAST_UNAVAILABLE', 'Sessions cannot be cleared while degraded.')
    for await (const batch of entries.keys()) await Promise.all(batch.map(end))
  }

  return { load, save, touch, end, ids, all, clear, count: async () => (await ids()).length }
}

function loaded(entry: Found): Loaded {
  return { status: 'found', data: entry.value as SessionData, entry }
}

function ignore(): void {}

function tooManyConflicts(): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_REJECTED',
    `A session changed ${maxConflicts} times while it was being saved.`,
  )
}
