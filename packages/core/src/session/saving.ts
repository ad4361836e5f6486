import type { Found } from '../degradation/reading.ts'
import type { Revised } from '../degradation/settle.ts'
import { HoldfastError } from '../errors.ts'
import { touchDue } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'
import type { EngineOptions, Facts } from './facts.ts'
import { ofBoth, ofToken, savedAs, sinceWith, type Loaded, type LoadedSession } from './loaded.ts'
import { isUnfounded, mergeSessions } from './merge.ts'
import { contentOf, copyLifetime, dataOf, isSessionData, type SessionData } from './session-data.ts'
import type { Sessions } from './sessions.ts'

/** Saves that meet a newer session each time give up after this many tries. */
const maxConflicts = 8
/** Saves sessions, and makes the tokens that go with them. */
export function createSaving(
  options: EngineOptions,
  facts: Facts,
  end: (id: string) => Promise<unknown>,
): Pick<Sessions, 'save' | 'touch' | 'tokenFor' | 'isUnchanged'> {
  const { entries, endings, index, continuity, ttl, clock, touchAfter } = options
  const { knownOf, digest, isEnded, userOf, lifetimeOf, missing, ended } = facts
  const saving = new Map<string, Promise<void>>()

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
    // The application's object knows its request: what is remembered of the session must not keep all of that alive.
    const own = { ...data }
    const stored = await store(id, own, from, { endsAt, begunAt, lifetime, revision: draft.revision })
    await indexed
    if (stored.status !== 'stored') return missing()
    Object.assign(knownOf(id), { revision: stored.entry.revision, until: clock.now() + lifetime })
    return savedAs(stored.entry, own, from, draft)
  }

  /** Stores a session over what it was made of, or over what somebody else made of it meanwhile, merged. */
  async function store(
    id: string,
    data: SessionData,
    from: Loaded,
    at: { endsAt: number; begunAt: number; lifetime: Milliseconds; revision: number },
  ): Promise<{ status: 'stored'; entry: Found } | { status: 'gone' }> {
    const { content } = from.draft
    const mine = (): Revised => ({
      value: { ...dataOf(content), cookie: data.cookie },
      revision: Infinity,
    })
    const base = (): Revised | undefined => (from.status === 'found' ? baseOf(from) : undefined)
    let over: Found | 'absent' = overOf(id, from)
    let value =
      from.status === 'found' && from.isMerged && from.entry
        ? mergeSessions({ base: base(), mine: mine(), theirs: from.entry })
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
            : mergeSessions({ base: beforeBoth(base(), current), mine: mine(), theirs: current })
        // Where nobody else has changed it, it becomes what its token says already.
        const isKnown = from.status === 'found' && current.revision === from.baseRevision
        if (!isKnown) revision = entries.revise(Math.max(revision, current.revision))
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
    if (!entry?.basis || token?.claims.revision !== baseRevision) return undefined
    return ofBoth(entries, id, token, entry)
  }

  /** What a save goes over: an entry, or what a token says, or nobody knows, which the primary may have otherwise. */
  function overOf(id: string, from: Loaded): Found | 'absent' {
    if (from.status === 'missing') return 'absent'
    if (from.status === 'unknown') return entries.assume(id, {}, { revision: 0, stamp: 0, endsAt: 0 })
    if (from.entry) return from.entry
    return from.token ? ofToken(entries, id, from.token) : 'absent'
  }

  async function touch(id: string, data: SessionData, from?: Loaded): Promise<void> {
    if (from?.status === 'unknown' || isEnded(id)) return
    if (from?.status === 'found') from.draft.isTouched = from.draft.revision > 0
    const lifetime = lifetimeOf(data, from?.status === 'found' ? endsAtOf(from) : 0)
    if (lifetime <= 0) return void (await end(id))
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

  /** The revision of what a request made of its session: one for the token and the record, as long as it is the same. */
  function drafted(data: SessionData, from: Loaded): Loaded['draft'] {
    const { draft } = from
    const content = contentOf(data)
    draft.isTouched = false
    if (draft.content !== content || draft.revision === 0) {
      draft.content = content
      draft.revision = entries.revise(draft.revision)
    }
    return draft
  }

  function tokenFor(id: string, data: SessionData, from: Loaded, overhead: () => number): string | undefined {
    const isUnknown = from.status === 'unknown' || (from.status === 'found' && from.degraded === 'empty')
    if (!continuity || isUnknown || isEnded(id)) return undefined
    let draft: Loaded['draft']
    try {
      draft = from.draft.isTouched ? from.draft : drafted(data, from)
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
    let whose: { endsAt: number; begunAt: number; user: string | undefined }
    try {
      whose = { ...datesOf(data, from), user: userOf(data) }
    } catch {
      return undefined
    }
    const { endsAt, begunAt, user } = whose
    const since = sinceWith(from, draft.content)
    const token = continuity.seal({
      session: digest(id),
      data: from.status === 'found' && from.degraded ? withParallel(id, data, from) : data,
      revision: draft.revision,
      base: since.revision,
      changed: since.changed,
      endsAt,
      begunAt,
      user,
      lifetime: Math.min(lifetime, endsAt > 0 ? endsAt - clock.now() : Infinity),
      notAfter: isConfirmed || !sent ? Infinity : sent.claims.expiresAt,
      overhead,
    })
    // The visitor's token tells what the session was before: that must not be believed in an outage.
    return token ?? (sent && sent.claims.revision < draft.revision ? '' : undefined)
  }

  /** Another request may have saved meanwhile: while Redis is away the token has to carry what both made. */
  function withParallel(id: string, data: SessionData, from: LoadedSession): SessionData {
    const current = entries.peek(id)
    const isSame = current.status === 'found' && !from.isMerged && current.revision === from.baseRevision
    if (current.status !== 'found' || isSame) return data
    return mergeSessions({
      base: beforeBoth(baseOf(from), current),
      mine: { value: data, revision: Infinity },
      theirs: current,
    })
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

  return { save, touch, tokenFor, isUnchanged }
}

/** What was begun without knowing the session has taken nothing out of it. */
function beforeBoth(base: Revised | undefined, theirs: Found): Revised | undefined {
  return base && isUnfounded(theirs) ? { value: {}, revision: base.revision } : base
}

function baseOf({ base, baseRevision: revision, since }: LoadedSession): Revised {
  return { value: dataOf(base), revision, since }
}

function begunAtOf(from: LoadedSession): number {
  return from.entry?.stamp ?? from.token?.claims.begunAt ?? 0
}

function endsAtOf(from: LoadedSession): number {
  return from.entry?.endsAt ?? from.token?.claims.endsAt ?? 0
}

function ignore(): void {}
