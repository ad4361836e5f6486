import { isDeepStrictEqual } from 'node:util'
import type { Divergence, Revised } from '../degradation/settle.ts'
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

/** What they have is older than what mine was made of, as after a failover: then all of the difference is mine. */
function startOf(base: Revised | undefined, theirs: Revised): Revised {
  if (!base) return nothing
  return theirs.revision > 0 && theirs.revision < base.revision ? theirs : base
}

const nothing: Revised = { value: {}, revision: 0 }

function sessionOf({ value }: Revised): SessionData {
  return (value ?? {}) as SessionData
}
