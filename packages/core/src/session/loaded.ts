import type { Found } from '../degradation/reading.ts'
import type { Sent } from './continuity.ts'
import { contentOf, type SessionData } from './session-data.ts'

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

function degradedOf({ origin, basis }: Found): Degraded {
  if (origin === 'primary') return false
  if (!basis) return 'memory'
  return basis.revision === 0 && Object.keys(basis.value as object).length === 0 ? 'empty' : 'token'
}

/** What a request makes of its session: shared by its saves and its token, which may come in either order. */
export interface Draft {
  content: string
  /** 0: not written yet. */
  revision: number
  begunAt: number | undefined
  endsAt: number | undefined
  user: string | undefined
}

export function draftOf(data: SessionData, revision = 0): Draft {
  return { content: contentOf(data), revision, begunAt: undefined, endsAt: undefined, user: undefined }
}

/** A session that was read from the primary or from memory. */
export function loadedEntry(entry: Found, token: Sent | undefined): LoadedSession {
  const data = entry.value as SessionData
  // Plain JSON has no revision; then a token of the same session stands for it.
  const draft = draftOf(data, entry.revision || (token?.revision ?? 0))
  return {
    status: 'found',
    data,
    degraded: degradedOf(entry),
    entry,
    base: draft.content,
    baseRevision: entry.revision,
    isMerged: false,
    token,
    draft,
  }
}

/** A session of which there is nothing but its token. */
export function loadedToken(token: Sent, degraded: false | 'token'): LoadedSession {
  const draft = draftOf(token.data, token.revision)
  return {
    status: 'found',
    data: token.data,
    degraded,
    base: draft.content,
    baseRevision: token.isPartial ? 0 : token.revision,
    isMerged: false,
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
    token: from.status === 'found' ? from.token : undefined,
    draft,
  }
}
