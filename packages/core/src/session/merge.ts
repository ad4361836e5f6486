import { isDeepStrictEqual } from 'node:util'
import type { Divergence, Revised } from '../degradation/settle.ts'
import type { Found } from '../degradation/reading.ts'
import type { Sent } from './continuity.ts'
import type { SessionData } from './session-data.ts'

/**
 * Makes one session of two that were changed apart, top-level key by top-level key: what `mine` changed since `base` is
 * applied to `theirs`. A key that both changed keeps the later value. The cookie is the later one's; where `mine` was
 * made of nothing that was known, it is theirs.
 */
export function mergeSessions({ base, mine, theirs }: Divergence): SessionData {
  const from = startOf(base, theirs)
  const before = sessionOf(from)
  const [own, other] = [sessionOf(mine), sessionOf(theirs)]
  const isLater = mine.revision > theirs.revision
  const merged: Record<string, unknown> = { ...other }
  for (const key of new Set([...Object.keys(before), ...Object.keys(own)])) {
    if (key === 'cookie' || isDeepStrictEqual(before[key], own[key])) continue
    if (!isLater && !isDeepStrictEqual(before[key], other[key])) continue
    if (Object.hasOwn(own, key)) merged[key] = own[key]
    else delete merged[key]
  }
  if (isLater && base && base.revision > 0 && own.cookie) merged['cookie'] = own.cookie
  return merged
}

/** The names of the top-level keys in which two sessions differ, but for the cookie. */
export function changedKeys(before: SessionData, after: SessionData): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => name !== 'cookie' && !isDeepStrictEqual(before[name], after[name]))
}

/** A session as Redis or this process has it, with what its token knows better. */
export function withToken(entry: Found, sent: Sent): SessionData {
  const { data, claims } = sent
  const theirs = entry.value as SessionData
  // It was begun here without knowing what it was: the token tells, and what was written here goes over it.
  if (isUnfounded(entry)) {
    const isLater = entry.revision > claims.revision
    return withKeys(
      data,
      theirs,
      Object.keys(theirs).filter((name) => isLater || !Object.hasOwn(data, name)),
    )
  }
  return completed(entry, theirs, sent)
}

/** The same without what was written in this process while Redis was away, unless the token was made of that, too. */
export function basisWithToken(entry: Found, sent: Sent): SessionData {
  if (isUnfounded(entry)) return sent.data
  return completed(entry, groundOf(entry, sent).value as SessionData, sent)
}

/** What of an entry the primary has had for sure: what it was made of, or all of it, where the token was made of a later one. */
export function groundOf(entry: Found, sent?: Sent): Ground {
  const isSwallowed = sent !== undefined && sent.claims.base >= entry.revision
  return isSwallowed ? entry : (entry.basis ?? entry)
}

export type Ground = Pick<Found, 'value' | 'revision' | 'since'>

function completed({ revision }: Found, session: SessionData, { data, claims }: Sent): SessionData {
  // It is older than what the token was made of, as after a failover: then all of the difference is the token's.
  const names = revision < claims.base ? changedKeys(session, data) : claims.changed
  const known = claims.isPartial ? names.filter((name) => Object.hasOwn(data, name)) : names
  return withKeys(session, data, known)
}

/** Whether an entry was begun in this process while nobody could tell what the session held. */
export function isUnfounded({ basis }: Found): boolean {
  return basis?.isAssumed === true && basis.revision === 0 && Object.keys(basis.value as object).length === 0
}

/** A session with some keys as another one has them; its cookie too. */
function withKeys(session: SessionData, other: SessionData, names: readonly string[]): SessionData {
  const merged: Record<string, unknown> = { ...session }
  for (const name of names) {
    if (name === '__proto__' || name === 'cookie') continue
    if (Object.hasOwn(other, name)) merged[name] = other[name]
    else delete merged[name]
  }
  return other.cookie ? { ...merged, cookie: other.cookie } : merged
}

/**
 * What the difference is measured from. They may have less than what mine was made of: then what others have changed
 * meanwhile is mine, too; and where Redis has gone back to an older one, as after a failover, all of the difference.
 */
function startOf(base: Revised | undefined, theirs: Revised): Revised {
  if (!base) return nothing
  if (theirs.revision === 0 || theirs.revision >= base.revision) return base
  const { since } = base
  if (!since || theirs.revision < since.revision) return theirs
  return { ...base, value: withKeys(sessionOf(base), sessionOf(theirs), since.changed) }
}

const nothing: Revised = { value: {}, revision: 0 }

function sessionOf({ value }: Revised): SessionData {
  return (value ?? {}) as SessionData
}
