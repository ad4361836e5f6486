import { LRUCache } from 'lru-cache'
import type { Availability } from '../availability/availability.ts'
import type { Clock } from '../clock.ts'
import type { Entries } from '../degradation/entries.ts'
import type { Found, Origin, Reading, StoreOptions } from '../degradation/reading.ts'
import type { Revised } from '../degradation/settle.ts'
import { HoldfastError, optionError } from '../errors.ts'
import type { Events } from '../events.ts'
import { defaultTtl, touchDue, type TtlPolicy } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'
import type { Claims, ContinuityTokens, Sent } from './continuity.ts'
import type { Endings } from './endings.ts'
import {
  draftOf,
  loadedEntry,
  loadedToken,
  savedAs,
  sinceWith,
  type Loaded,
  type LoadedSession,
  type Since,
} from './loaded.ts'
import { isUnfounded, mergeSessions, withToken } from './merge.ts'
import {
  contentOf,
  copyLifetime,
  dataOf,
  isSessionData,
  userDigest,
  type SessionData,
  type UserIdOf,
} from './session-data.ts'
import { digestOf } from './digest.ts'
import type { UserIndex } from './user-sessions.ts'

/** A session and its id. */
export interface SessionEntry {
  readonly id: string
  readonly data: SessionData
}

/** One of a user's sessions, as it may be shown to the user. */
export interface UserSession {
  /** Names the session to {@link Sessions.endOne}; safe to show, as it is not the id. */
  readonly handle: string
  /** When the session became this user's, in ms since the epoch; 0 where that is not known. */
  readonly startedAt: number
  /** When it was changed last, in ms since the epoch; 0 where that is not known. */
  readonly changedAt: number
  /** What the option `note` made of it. */
  readonly note: unknown
}

/**
 * Sessions that go on while Redis is away: from their continuity token and this process' memory, writes included, which
 * reach Redis on recovery, merged by top-level key with what Redis has.
 *
 * Under the rules `token` and `memory` no method rejects because Redis is away, but for `clear`; under `refuse` all of
 * them do, with `ERR_HOLDFAST_UNAVAILABLE`.
 */
export interface Sessions {
  /** The rule that is in force. */
  readonly rule: 'token' | 'memory' | 'refuse'
  /** What the first save of a new session is based on. */
  begin(): Loaded
  /** Whether this session was ended, here or in a process that this one heard of. */
  isEnded(id: string): boolean
  /** Loads a session, with the help of the continuity token that came with it. */
  load(id: string, token?: string): Promise<Loaded>
  /**
   * Stores a session; gives what a next save of the same request is based on. A session that was loaded and has been
   * ended meanwhile stays ended. Where somebody else changed it too, both changes stay; of one top-level key the later
   * value. What was saved over an `unknown` session is added to it key by key, once Redis can be asked.
   */
  save(id: string, data: SessionData, from?: Loaded): Promise<Loaded>
  /** Extends a session, if a set share of its ttl has passed since it was extended last. */
  touch(id: string, data: SessionData, from?: Loaded): Promise<void>
  /**
   * Ends a session for good, in this process at once and in all that are connected within milliseconds; its tokens and any
   * late write of it count as nothing. While degraded the others hear of it on recovery.
   */
  end(id: string): Promise<void>
  /** Gives a user's sessions, the last changed first; while degraded those that this process knows. Needs the option `userId`. */
  list(user: string | number): Promise<UserSession[]>
  /** The handle of a session in {@link Sessions.list}. */
  handleOf(id: string): string
  /** Ends the one of a user's sessions that has this handle; `false` where there is none. Needs the option `userId`. */
  endOne(user: string | number, handle: string): Promise<boolean>
  /** Ends all sessions of a user that began until now, but for the one with the id `except`. Needs the option `userId`. */
  endAll(user: string | number, options?: { readonly except?: string | undefined }): Promise<void>
  /**
   * Gives the continuity token that a response should set; `undefined` where the visitor's is to stay as it is: the session is unchanged and the token fresh, it is unknown or ended,
   * or the token would be beyond the cookie budget of 3.8 kB. Synchronous, and the same before, during and after a save
   * that is given the same `from`, as headers may leave before it ends. `overhead` gives the bytes of the cookie without the
   * token; it is asked just before a token is made.
   */
  tokenFor(id: string, data: SessionData, from: Loaded, overhead: () => number): string | undefined
  /** Whether a session is still what it was loaded as, or saved as last; its cookie does not count. */
  isUnchanged(data: SessionData, from: Loaded): boolean
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
  readonly rule: 'token' | 'memory' | 'refuse'
  readonly entries: Entries
  readonly endings: Endings
  readonly index: UserIndex
  readonly continuity: (ContinuityTokens & { readonly lifetime: Milliseconds }) | undefined
  readonly availability: Availability
  readonly events: Events
  readonly ttl: TtlPolicy
  readonly userId: UserIdOf | undefined
  readonly note: ((session: SessionData) => unknown) | undefined
  /** The share of its ttl that has to pass before a session is extended; 0: each time. */
  readonly touchAfter: number
  readonly clock: Clock
}

/** Saves that meet a newer session each time give up after this many tries. */
const maxConflicts = 8
/** What is known of a session beside its entry. */
interface Known {
  readonly digest: string
  /** The newest revision that was seen; 0: none. */
  revision: number
  /** Until when Redis keeps it, in ms since the epoch; 0: not known. */
  until: number
}

const rememberedSessions = 50_000
/** Requests that overlap may leave a visitor with the token of the one that was not the last: by so much it may be older. */
const overlap: Milliseconds = 10_000
/** How long all sessions of a user stay ended: longer than any of them was going to live unseen. */
const userMarkLife: Milliseconds = 30 * 86_400_000

/** Creates the session engine. */
export function createSessions(options: SessionsOptions): Sessions {
  const { entries, endings, index, continuity, availability, events, ttl, clock, touchAfter } = options
  /** What this process knows of a session, so that it need not be worked out or asked again. */
  const known = new LRUCache<string, Known>({ max: rememberedSessions })
  const saving = new Map<string, Promise<void>>()

  function knownOf(id: string): Known {
    const there = known.get(id)
    if (there) return there
    const made = { digest: digestOf(entries.wireKey(id)), revision: 0, until: 0 }
    known.set(id, made)
    return made
  }

  function digest(id: string): string {
    return knownOf(id).digest
  }

  function isEnded(id: string): boolean {
    return !endings.isEmpty && endings.isEnded(digest(id))
  }

  function userOf(data: SessionData): string | undefined {
    return userDigest(data, options.userId)
  }

  async function load(id: string, token?: string): Promise<Loaded> {
    if (isEnded(id)) return ended()
    const sent = token === undefined ? undefined : continuity?.open(digest(id), token)
    if (sent?.isTrusted) return loadedToken(sent, false)
    const reading = await entries.get(id)
    if (isEnded(id)) return ended()
    switch (reading.status) {
      case 'found':
        return found(id, reading, sent)
      case 'missing':
        if (!sent) return forgotten(id)
        return reading.origin === 'primary' ? restore(id, sent, reading.copy) : serve(sent)
      case 'unknown':
        return sent ? serve(sent) : { status: 'unknown', draft: draftOf({}) }
    }
  }

  /** Whatever was seen of it, a good token may bring it back. */
  function forgotten(id: string): Loaded {
    known.delete(id)
    return missing()
  }

  function serve(sent: Sent): Loaded {
    events.emit('session', { outcome: 'served', reason: 'Redis is away' })
    return loadedToken(sent, 'token')
  }

  async function found(id: string, reading: Found, sent: Sent | undefined): Promise<Loaded> {
    if (reading.endsAt > 0 && reading.endsAt <= clock.now()) return missing()
    const user = endings.isEmpty ? undefined : userOf(reading.value as SessionData)
    if (user && endings.isUserEnded(user, digest(id), reading.stamp)) {
      await end(id)
      return ended()
    }
    const isNewer = sent && reading.revision > 0 && sent.claims.revision > reading.revision
    return sent && (isNewer || isUnfounded(reading))
      ? complete(id, reading, sent)
      : noted(id, loadedEntry(reading, sent))
  }

  /**
   * The token is newer than the record: written during an outage, or Redis has gone back to an older copy. Or the record was
   * begun in this process without knowing what Redis has.
   */
  async function complete(id: string, reading: Found, sent: Sent): Promise<Loaded> {
    const { claims } = sent
    const data = withToken(reading, sent)
    const reason = reading.origin === 'primary' ? 'Redis had an older one' : 'memory had an older one'
    events.emit('session', { outcome: 'completed', reason })
    const revision = claims.revision > reading.revision ? claims.revision : entries.revise(reading.revision)
    const begunAt = Math.max(claims.begunAt, reading.stamp)
    const { endsAt } = claims
    // To complete is no decision: what is changed from now on is measured against the token.
    const isTold = reading.origin === 'primary' && availability.allows('write')
    if (!isTold && !reading.basis) return adopted(id, data, sent, { revision, begunAt })
    const basis = reading.basis && ofToken(id, sent, originOf(reading))
    const result = await put(id, data, { endsAt, revision, begunAt, over: reading, basis })
    if (result.status === 'stored') return noted(id, loadedEntry(result.entry, sent))
    return result.current.status === 'found' ? found(id, result.current, sent) : missing()
  }

  /** While Redis is away, or takes no writes, this process goes by the token. */
  function adopted(
    id: string,
    data: SessionData,
    sent: Sent,
    { revision, begunAt }: { revision: number; begunAt: number },
  ): Loaded {
    const { endsAt } = sent.claims
    const ttl = Math.max(1, lifetimeOf(data, endsAt))
    return noted(id, loadedEntry(entries.adopt(id, data, { revision, stamp: begunAt, endsAt, ttl }), sent))
  }

  /** Redis has nothing, and nobody ended it: it was lost, evicted, or born in an outage. */
  async function restore(id: string, sent: Sent, copy: Found | undefined): Promise<Loaded> {
    const { claims } = sent
    if (!continuity!.mayRestore(claims)) return missing()
    const isNewer = copy !== undefined && copy.revision >= claims.revision
    if (!isNewer && knownOf(id).revision - overlap > claims.revision) {
      events.emit('session', { outcome: 'refused', reason: 'older than a version seen' })
      return missing()
    }
    const data = isNewer ? (copy.value as SessionData) : sent.data
    const revision = isNewer ? copy.revision : claims.revision
    const { begunAt } = claims
    if (!availability.allows('write')) return adopted(id, data, sent, { revision, begunAt })
    const result = await put(id, data, { endsAt: claims.endsAt, begunAt, revision, over: 'absent' })
    endings.compareSoon()
    if (isEnded(id)) {
      await end(id)
      return ended()
    }
    if (result.status === 'stored') {
      events.emit('session', { outcome: 'restored', reason: 'evicted or lost' })
      return noted(id, loadedEntry(result.entry, sent))
    }
    return result.current.status === 'found' ? found(id, result.current, sent) : missing()
  }

  function put(
    id: string,
    data: SessionData,
    at: Pick<Claims, 'revision' | 'endsAt' | 'begunAt'> & Pick<StoreOptions, 'over' | 'basis'>,
  ): ReturnType<Entries['set']> {
    const { begunAt: stamp, ...options } = at
    return entries.set(id, data, { ...options, stamp, ttl: Math.max(1, lifetimeOf(data, at.endsAt)) })
  }

  function noted(id: string, loaded: LoadedSession): Loaded {
    const there = knownOf(id)
    there.revision = Math.max(there.revision, loaded.draft.revision)
    return loaded
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

  async function saveNow(id: string, data: SessionData, from: Loaded = missing()): Promise<Loaded> {
    const draft = drafted(data, from)
    if (from.status === 'unknown' && draft.content === '{}') return from
    if (isEnded(id)) return ended()
    const { endsAt, begunAt } = datesOf(data, from)
    const lifetime = lifetimeOf(data, endsAt)
    if (lifetime <= 0) {
      await end(id)
      return missing()
    }
    const user = userOf(data)
    const indexed = user === undefined ? undefined : index.note(user, id, lifetime)
    const stored = await store(id, data, from, { endsAt, begunAt, lifetime, revision: draft.revision })
    await indexed
    if (stored.status !== 'stored') return missing()
    Object.assign(knownOf(id), { revision: stored.entry.revision, until: clock.now() + lifetime })
    return savedAs(stored.entry, data, from, draft)
  }

  /** Stores a session over what it was made of, or over what somebody else made of it meanwhile, merged. */
  async function store(
    id: string,
    data: SessionData,
    from: Loaded,
    at: { endsAt: number; begunAt: number; lifetime: Milliseconds; revision: number },
  ): Promise<{ status: 'stored'; entry: Found } | { status: 'gone' }> {
    const mine = { value: { ...dataOf(from.draft.content), cookie: data.cookie }, revision: Infinity }
    const base =
      from.status === 'found' ? { value: dataOf(from.base), revision: from.baseRevision } : undefined
    let over: Found | 'absent' = overOf(id, from)
    let value =
      from.status === 'found' && from.isMerged && from.entry
        ? mergeSessions({ base, mine, theirs: from.entry })
        : data
    const basis = from.status === 'found' ? swallowedBy(id, from) : undefined
    let { revision } = at
    for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
      const result = await entries.set(id, value, {
        ttl: at.lifetime,
        endsAt: at.endsAt,
        stamp: over === 'absent' ? at.begunAt : Math.max(at.begunAt, over.stamp),
        revision,
        over,
        basis,
      })
      if (result.status === 'stored') return result
      const { current } = result
      if (current.status === 'found' && isSessionData(current.value)) {
        // What was made without looking stands for the whole session.
        value =
          from.status === 'missing'
            ? data
            : mergeSessions({ base: beforeBoth(base, current), mine, theirs: current })
        revision = entries.revise(Math.max(revision, current.revision))
        over = current
      } else {
        // It was there, and is gone: ended by somebody, or evicted, of which the token still knows.
        if (from.status === 'found' && from.entry && from.entry.origin !== 'assumed')
          return { status: 'gone' }
        over = 'absent'
      }
      if (isEnded(id)) return { status: 'gone' }
    }
    throw new HoldfastError(
      'ERR_HOLDFAST_REJECTED',
      `A session changed ${maxConflicts} times while it was being saved.`,
    )
  }

  /** What another process may have made of the visitor's token meanwhile: while degraded a change is measured from that. */
  function swallowedBy(id: string, { entry, token, baseRevision }: LoadedSession): Found | undefined {
    if (entry?.origin !== 'fallback' || token?.claims.revision !== baseRevision) return undefined
    return ofToken(id, token, originOf(entry))
  }

  /** What a token says, as an entry. */
  function ofToken(id: string, { claims, data }: Sent, origin: Origin): Found {
    const { revision, begunAt: stamp, endsAt, isPartial } = claims
    const entry = entries.assume(id, data, { revision: isPartial ? 0 : revision, stamp, endsAt })
    return { ...entry, origin }
  }

  /** What a save goes over: an entry, or what a token says, or nobody knows, which the primary may have otherwise. */
  function overOf(id: string, from: Loaded): Found | 'absent' {
    if (from.status === 'missing') return 'absent'
    if (from.status === 'unknown') return entries.assume(id, {}, { revision: 0, stamp: 0, endsAt: 0 })
    if (from.entry) return from.entry
    return from.token ? ofToken(id, from.token, 'assumed') : 'absent'
  }

  function tokenFor(id: string, data: SessionData, from: Loaded, overhead: () => number): string | undefined {
    const isUnknown = from.status === 'unknown' || (from.status === 'found' && from.degraded === 'empty')
    if (!continuity || isUnknown || isEnded(id)) return undefined
    let draft: Loaded['draft']
    try {
      draft = drafted(data, from)
    } catch {
      // It cannot be written as JSON, which is for its save to say.
      return undefined
    }
    const sent = from.status === 'found' ? from.token : undefined
    // Only what Redis confirmed makes a token live longer: an outage must not keep a stolen one alive.
    const isConfirmed = from.status !== 'found' || from.degraded === false
    const lifetime = copyLifetime(data, ttl, clock.now())
    // A token that would outlive the session gives way, too: the application shortened its life.
    const isKept =
      sent !== undefined &&
      sent.claims.revision >= draft.revision &&
      sent.claims.expiresAt <= clock.now() + lifetime
    if (isKept && !(isConfirmed && continuity.isDue(sent.claims))) return undefined
    const { endsAt, begunAt } = datesOf(data, from)
    return continuity.seal({
      session: digest(id),
      data: from.status === 'found' && from.degraded ? withParallel(id, data, from) : data,
      revision: draft.revision,
      ...baseOf(sinceWith(from, draft.content)),
      endsAt,
      begunAt,
      user: userOf(data),
      lifetime: Math.min(lifetime, endsAt > 0 ? endsAt - clock.now() : Infinity),
      notAfter: isConfirmed || !sent ? Infinity : sent.claims.expiresAt,
      overhead,
    })
  }

  /** Another request may have saved meanwhile: while Redis is away the token has to carry what both made. */
  function withParallel(id: string, data: SessionData, from: LoadedSession): SessionData {
    const current = entries.peek(id)
    const isSame = current.status === 'found' && !from.isMerged && current.revision === from.baseRevision
    if (current.status !== 'found' || isSame) return data
    const base = { value: dataOf(from.base), revision: from.baseRevision }
    return mergeSessions({
      base: beforeBoth(base, current),
      mine: { value: data, revision: Infinity },
      theirs: current,
    })
  }

  /** The revision of what a request made of its session: one for the token and the record, as long as it is the same. */
  function drafted(data: SessionData, from: Loaded): Loaded['draft'] {
    const { draft } = from
    const content = contentOf(data)
    if (draft.content !== content || draft.revision === 0) {
      draft.content = content
      draft.revision = entries.revise(draft.revision)
    }
    return draft
  }

  /** When a session ends at the latest, and since when it is this user's. */
  function datesOf(data: SessionData, from: Loaded): { endsAt: number; begunAt: number } {
    const user = userOf(data)
    const { draft } = from
    if (draft.begunAt === undefined || draft.user !== user) {
      const isSame = from.status === 'found' && (!options.userId || userOf(dataOf(from.base)) === user)
      draft.begunAt = isSame ? begunAtOf(from) : beginning(user, from)
      draft.user = user
    }
    draft.endsAt ??= from.status === 'found' ? endsAtOf(from) : ttl.endsAt(clock.now())
    return { endsAt: draft.endsAt, begunAt: draft.begunAt }
  }

  /** Whose session it is that nobody knows, and since when, is not for this process to say. */
  function beginning(user: string | undefined, from: Loaded): number {
    if (user === undefined) return from.status === 'unknown' ? 0 : entries.revise()
    return entries.revise(endings.userEndedBefore(user))
  }

  function isUnchanged(data: SessionData, from: Loaded): boolean {
    if (from.status !== 'found') return false
    try {
      return contentOf(data) === from.base
    } catch {
      // What has no JSON is changed: its save says what is wrong with it.
      return false
    }
  }

  async function touch(id: string, data: SessionData, from?: Loaded): Promise<void> {
    if (from?.status === 'unknown' || isEnded(id)) return
    const lifetime = lifetimeOf(data, from?.status === 'found' ? endsAtOf(from) : 0)
    if (lifetime <= 0) return end(id)
    const now = clock.now()
    const there = knownOf(id)
    const written = Math.max(there.revision, from?.status === 'found' ? from.draft.revision : 0)
    const until = there.until || (written > 0 ? written + lifetime : 0)
    if (until > 0 && !touchDue({ ttl: lifetime, remaining: until - now, share: touchAfter })) return
    const user = userOf(data)
    const indexed = user === undefined ? undefined : index.note(user, id, lifetime)
    if (await entries.touch(id, lifetime)) there.until = now + lifetime
    await indexed
  }

  async function end(id: string): Promise<void> {
    const now = clock.now()
    const { digest: session, until } = knownOf(id)
    const left = Math.max(until, now + usualLifetime(), now + (continuity?.lifetime ?? 0))
    const ending = { of: 'session', session, until: left } as const
    known.delete(id)
    endings.mark(ending)
    await entries.delete(id, (wireKey) => endings.tell(ending, wireKey))
  }

  async function list(user: string | number): Promise<UserSession[]> {
    const sessions = await sessionsOf(user)
    return sessions
      .map(({ id, entry }) => ({
        handle: digest(id),
        startedAt: Math.floor(entry.stamp),
        changedAt: Math.floor(entry.revision),
        note: options.note?.(entry.value as SessionData),
      }))
      .sort((a, b) => b.changedAt - a.changedAt)
  }

  async function sessionsOf(given: string | number): Promise<{ id: string; entry: Found }[]> {
    const user = indexed(given)
    const ids = (await index.idsOf(user)).filter((id) => !isEnded(id))
    const readings = ids.length === 0 ? [] : await entries.getMany(ids)
    const isTheirs = (reading: Reading, id: string): reading is Found =>
      reading.status === 'found' &&
      isSessionData(reading.value) &&
      userOf(reading.value) === user &&
      !endings.isUserEnded(user, digest(id), reading.stamp)
    const gone = ids.filter((_, i) => readings[i]!.status === 'missing')
    if (gone.length > 0) await index.forget(user, gone)
    return ids.flatMap((id, i) => {
      const entry = readings[i]!
      return isTheirs(entry, id) ? [{ id, entry }] : []
    })
  }

  async function endOne(user: string | number, handle: string): Promise<boolean> {
    const sessions = await sessionsOf(user)
    const session = sessions.find(({ id }) => digest(id) === handle)
    if (session) await end(session.id)
    return session !== undefined
  }

  async function endAll(
    given: string | number,
    { except }: { except?: string | undefined } = {},
  ): Promise<void> {
    const user = indexed(given)
    const sessions = await sessionsOf(given)
    const ending = {
      of: 'user',
      user,
      before: entries.revise(),
      except: except === undefined ? undefined : digest(except),
      until: clock.now() + Math.max(userMarkLife, usualLifetime()),
    } as const
    endings.mark(ending)
    await entries.tell(() => endings.tell(ending))
    await Promise.all(sessions.filter(({ id }) => id !== except).map(({ id }) => end(id)))
  }

  function indexed(user: string | number): string {
    if (!options.userId) throw optionError('userId', "a function, to know a user's sessions", options.userId)
    return digestOf(`user ${user}`)
  }

  function lifetimeOf(data: SessionData, endsAt: number): Milliseconds {
    return ttl.ttlFor(data, { now: clock.now(), cookie: data.cookie, endsAt })
  }

  /** How long a session lives of which nothing is known; a function that asks more of a session has no answer. */
  function usualLifetime(): Milliseconds {
    try {
      return lifetimeOf({}, 0)
    } catch {
      return defaultTtl
    }
  }

  async function ids(): Promise<string[]> {
    const all = new Set<string>()
    for await (const batch of entries.keys()) for (const id of batch) if (!isEnded(id)) all.add(id)
    return [...all]
  }

  async function all(): Promise<SessionEntry[]> {
    const found = new Map<string, SessionData>()
    for await (const batch of entries.keys()) {
      if (batch.length === 0) continue
      const readings = await entries.getMany(batch)
      for (const [i, reading] of readings.entries()) {
        const id = batch[i]!
        if (reading.status === 'found' && isSessionData(reading.value) && !isEnded(id))
          found.set(id, reading.value)
      }
    }
    return [...found].map(([id, data]) => ({ id, data }))
  }

  async function clear(): Promise<void> {
    await availability.settled()
    if (availability.state !== 'healthy')
      throw new HoldfastError('ERR_HOLDFAST_UNAVAILABLE', 'Sessions cannot be cleared while degraded.')
    for await (const batch of entries.keys()) await Promise.all(batch.map(end))
  }

  function missing(): Loaded {
    return { status: 'missing', draft: draftOf({}) }
  }

  function ended(): Loaded {
    events.emit('session', { outcome: 'ended', reason: 'it was ended before' })
    return missing()
  }

  return {
    rule: options.rule,
    begin: missing,
    isEnded,
    load,
    save,
    touch,
    end,
    list,
    handleOf: digest,
    endOne,
    endAll,
    tokenFor,
    isUnchanged,
    ids,
    all,
    clear,
    count: async () => (await ids()).length,
  }
}

function baseOf({ revision, changed }: Since): { base: number; changed: readonly string[] } {
  return { base: revision, changed }
}

/** Whether Redis had the session for sure: only then does its absence say that it was removed. */
function originOf({ basis }: Found): Origin {
  return basis === undefined || (!basis.isAssumed && basis.revision > 0) ? 'fallback' : 'assumed'
}

/** What was begun without knowing the session has taken nothing out of it. */
function beforeBoth(base: Revised | undefined, theirs: Found): Revised | undefined {
  return base && isUnfounded(theirs) ? { value: {}, revision: base.revision } : base
}

function begunAtOf(from: LoadedSession): number {
  return from.entry?.stamp ?? from.token?.claims.begunAt ?? 0
}

function endsAtOf(from: LoadedSession): number {
  return from.entry?.endsAt ?? from.token?.claims.endsAt ?? 0
}

function ignore(): void {}
