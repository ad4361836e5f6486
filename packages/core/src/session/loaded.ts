import type { Entries } from '../degradation/entries.ts'
import type { Found, Since } from '../degradation/reading.ts'
import type { Sent } from './continuity.ts'
import { basisWithToken, changedKeys, groundOf, isUnfounded, type Ground } from './merge.ts'
import { contentOf, dataOf, type SessionData } from './session-data.ts'

/**
 * What loading a session came to. Hand it to {@link Sessions.save} and {@link Sessions.tokenFor}, so that they know what
 * the session is based on.
 */
export type Loaded =
  | LoadedSession
  /** There is no such session. */
  | { readonly status: 'missing'; readonly draft: Draft }
  /** Redis cannot be asked, and nothing here knows the session. The visitor's cookies must be left as they are. */
  | { readonly status: 'unknown'; readonly draft: Draft }

export interface LoadedSession {
  readonly status: 'found'
  readonly data: SessionData
  readonly degraded: Degraded
  /** The entry that a save goes over; left out where only the token is known. */
  readonly entry?: Found | undefined
  /** The content that the application's session was made of, which a change is measured against. */
  readonly base: string
  readonly baseRevision: number
  /** The entry holds more than the application's session: what somebody else changed meanwhile. */
  readonly isMerged: boolean
  /** What Redis had of it for sure, and the keys that were changed since, as far as this process knows. */
  readonly since: Since
  /** The token that came with the request. */
  readonly token: Sent | undefined
  readonly draft: Draft
}

/**
 * What a session runs on. `false`: Redis stands behind it. While Redis is away: `memory`, what this process has seen of it;
 * `token`, nothing but its continuity token, and what was written since; `empty`, nothing, and what was written since: the
 * session that Redis has is not known here.
 */
export type Degraded = false | 'memory' | 'token' | 'empty'

function degradedOf(entry: Found): Degraded {
  if (entry.origin === 'primary') return false
  if (!entry.basis?.isAssumed) return 'memory'
  return isUnfounded(entry) ? 'empty' : 'token'
}

/** What a request makes of its session: shared by its saves and its token, which may come in either order. */
export interface Draft {
  content: string
  /** 0: not written yet. */
  revision: number
  begunAt: number | undefined
  endsAt: number | undefined
  user: string | undefined
  /** The framework has just found the session to be what it is here: nobody need look again. */
  isTouched: boolean
}

export function draftOf(data: SessionData, revision = 0): Draft {
  const content = contentOf(data)
  return { content, revision, begunAt: undefined, endsAt: undefined, user: undefined, isTouched: false }
}

/** A session that was read from the primary or from memory. */
export function loadedEntry(entry: Found, token: Sent | undefined): LoadedSession {
  const data = entry.value as SessionData
  // Plain JSON has no revision; then a token of the same session stands for it.
  const draft = draftOf(data, entry.revision || (token?.claims.revision ?? 0))
  return {
    status: 'found',
    data,
    degraded: degradedOf(entry),
    entry,
    base: draft.content,
    baseRevision: entry.revision,
    isMerged: false,
    since: sinceOf(entry),
    token,
    draft,
  }
}

/** How far an entry is from what Redis had of it for sure. */
function sinceOf(entry: Found): Since {
  const ground = sinceOfGround(groundOf(entry))
  if (!entry.basis) return ground
  const own = changedKeys(entry.basis.value as SessionData, entry.value as SessionData)
  return { ...ground, changed: union(ground.changed, own) }
}

/** The same once a token has completed the entry, but for what was written in this process. */
export function completedSince(entry: Found, sent: Sent): Since {
  const { claims } = sent
  const { revision, changed } = sinceOfGround(groundOf(entry, sent))
  return { revision: Math.max(revision, claims.base), changed: union(changed, claims.changed) }
}

function sinceOfGround({ revision, since }: Ground): Since {
  return since ?? { revision, changed: nothing }
}

const nothing: readonly string[] = []

function union(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])]
}

/** The same with what a request changed of it by now. */
export function sinceWith(from: Loaded, content: string): Since {
  if (from.status !== 'found') return { revision: 0, changed: Object.keys(dataOf(content)) }
  if (from.base === content) return from.since
  const changed = changedKeys(dataOf(from.base), dataOf(content))
  return { revision: from.since.revision, changed: union(from.since.changed, changed) }
}

/** A session of which there is nothing but its token. */
export function loadedToken(token: Sent, degraded: false | 'token'): LoadedSession {
  const { data } = token
  const { revision, base, changed, isPartial } = token.claims
  const draft = draftOf(data, revision)
  return {
    status: 'found',
    data,
    degraded,
    base: draft.content,
    baseRevision: isPartial ? 0 : revision,
    isMerged: false,
    since: { revision: base, changed },
    token,
    draft,
  }
}

/** A session that was saved: a next save of the same request is measured against what the application has. */
export function savedAs(entry: Found, data: SessionData, from: Loaded, draft: Draft): LoadedSession {
  const before = from.status === 'found' && from.degraded !== false ? from.degraded : 'memory'
  const unconfirmed = from.status === 'unknown' ? 'empty' : before
  return {
    status: 'found',
    data,
    degraded: entry.origin === 'primary' ? false : unconfirmed,
    entry,
    base: draft.content,
    baseRevision: entry.revision,
    isMerged: entry.value !== data,
    since:
      entry.origin === 'primary' ? { revision: entry.revision, changed: [] } : sinceWith(from, draft.content),
    token: from.status === 'found' ? from.token : undefined,
    draft,
  }
}

/** What a token says, as an entry that Redis may have in another form. */
export function ofToken(entries: Entries, id: string, { claims, data }: Sent): Found {
  const { base: revision, changed } = claims
  return tokenEntry(entries, id, data, { claims, since: { revision, changed } })
}

/**
 * What an entry and a token together say, but for what was written here: what a change is measured from, as another process
 * may have made something of the token meanwhile.
 */
export function ofBoth(entries: Entries, id: string, sent: Sent, entry: Found): Found {
  const made = tokenEntry(entries, id, basisWithToken(entry, sent), {
    claims: sent.claims,
    since: completedSince(entry, sent),
  })
  return wasInRedis(entry) ? { ...made, origin: 'fallback' } : made
}

function tokenEntry(
  entries: Entries,
  id: string,
  data: SessionData,
  { claims, since }: { claims: Sent['claims']; since: Since },
): Found {
  const { revision, begunAt: stamp, endsAt, isPartial } = claims
  // What a partial one lacks is not known: nothing can be told from the difference.
  return entries.assume(
    id,
    data,
    isPartial ? { revision: 0, stamp, endsAt } : { revision, stamp, endsAt, since },
  )
}

/** Whether Redis had the session for sure: only then does its absence say that it was removed. */
function wasInRedis({ basis }: Found): boolean {
  return basis === undefined || (!basis.isAssumed && basis.revision > 0)
}
