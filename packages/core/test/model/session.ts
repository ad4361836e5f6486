import type { Floors } from './known-writes.ts'

/** A session as the reference knows it. */
export interface Session {
  readonly id: string
  readonly user: string | undefined
  readonly bornAt: number
  readonly values: Map<string, Set<number>>
  readonly removals: Map<string, number>
  /** Something was written while nobody could know the session. */
  hasBlindWrites: boolean
  /** The primary had no record of it at some time. */
  wasLost: boolean
  /** Requests that did not see each other wrote to it, and the primary could not bring them together. */
  isDiverged: boolean
  /** Requests that did not see each other wrote to it; only the primary has all of it. */
  isTorn: boolean
  /** What was written since everything had settled last. */
  written: Written[]
  /** Writes up to this one may have been lost that way. */
  forgiven: number
  readonly acknowledged: Map<string, number>
}

/** By whom a key was written, or taken away. */
export interface Written {
  readonly key: string
  readonly value: number
  readonly isRemoval: boolean
  readonly process: number
  readonly isInTouch: boolean
}

export function newSession(id: string, user: string | undefined, bornAt: number): Session {
  return {
    id,
    user,
    bornAt,
    values: new Map(),
    removals: new Map(),
    acknowledged: new Map(),
    hasBlindWrites: false,
    wasLost: false,
    isDiverged: false,
    isTorn: false,
    written: [],
    forgiven: 0,
  }
}

/** An invariant that does not hold. */
export class Violation extends Error {}

/** Whatever is shown was written to this very session. */
export function judgeContent(session: Session, data: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(data)) {
    if (key === 'cookie') continue
    const isTheirs = key === 'user' ? value === session.user : session.values.get(key)?.has(value as number)
    if (!isTheirs)
      throw new Violation(`S7: ${session.id} shows ${key}=${String(value)}, which nobody wrote to it`)
  }
}

export function judgeUser(session: Session, user: unknown, isOwed: boolean): void {
  if (user === session.user || (session.hasBlindWrites && !isOwed)) return
  throw new Violation(`S2: ${session.id} is of ${session.user}, and shows ${String(user)}`)
}

export function judgeFloors(session: Session, data: Readonly<Record<string, unknown>>, floors: Floors): void {
  for (const [key, floor] of floors) {
    if (floor <= session.forgiven) continue
    const shown = data[key] === undefined ? (session.removals.get(key) ?? 0) : (data[key] as number)
    if (shown < floor)
      throw new Violation(
        `S5: ${session.id} shows ${key}=${String(data[key])}, though ${floor} was acknowledged and kept`,
      )
  }
}

/** What the keys of a session hold at least, by a content that was shown to somebody who had to know this of it. */
export function floorsOf(
  session: Session,
  content: Readonly<Record<string, unknown>>,
  known: Floors,
): Floors {
  const floors = new Map<string, number>()
  for (const [key, value] of Object.entries(content)) {
    if (typeof value === 'number') floors.set(key, value)
  }
  // What was there, and is missing, was taken away: that is part of the content. What was not there may be yet to come.
  for (const [key, value] of session.removals) if (!floors.has(key) && known.has(key)) floors.set(key, value)
  return floors
}
