import type { Loaded } from '../../src/session/loaded.ts'
import type { Cookies } from './browser.ts'
import { createKnownEndings, type Ending, type KnownEndings } from './known-endings.ts'
import { createKnownSince, type KnownSince } from './known-since.ts'
import { createKnownWrites, highest, type Floors, type KnownWrites } from './known-writes.ts'

/** Who is logged in as whom, what was written, and who must know of it: the small model that the engine is held against. */
export interface Reference {
  readonly endings: KnownEndings
  readonly writes: KnownWrites
  readonly since: KnownSince
  born(id: string, user: string | undefined): void
  session(id: string): Session | undefined
  /** A value was written, or taken away, by a request that may still fail. */
  attempted(id: string, key: string, value: number, isRemoval: boolean): void
  issued(text: string, token: Issued): void
  token(text: string | undefined): Issued | undefined
  /** Throws a {@link Violation} where loading came to what it may not. */
  judge(seen: Seen): void
  /** The primary lost records: of one session, or of all. */
  lostRecords(id?: string): void
  /** All that was written apart has been brought together, as far as it could be. */
  converged(value: number): void
  copy(): PrimaryKnowledge
  restore(copy: PrimaryKnowledge): void
}

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
  /** Something was written out of touch with the primary, and not everything has settled since. */
  wroteApart: boolean
  /** Writes up to this one may have been lost that way. */
  forgiven: number
  readonly acknowledged: Map<string, number>
}

/** A token that a response set. */
export interface Issued {
  readonly id: string
  readonly at: number
  /** It is good for at least this long. */
  readonly goodUntil: number
  readonly user: unknown
  readonly floors: Floors
}

/** What a process made of cookies. */
export interface Seen {
  readonly process: number
  readonly isInTouch: boolean
  readonly cookies: Cookies
  readonly loaded: Loaded
  /** They are the browser's own, not copied or forged: it is owed its session. */
  readonly isOwn: boolean
}

export interface PrimaryKnowledge {
  readonly endings: ReturnType<KnownEndings['copy']>
  readonly writes: ReturnType<KnownWrites['copy']>
  readonly since: ReturnType<KnownSince['copy']>
}

/** An invariant that does not hold. */
export class Violation extends Error {}

export function createReference(processes: number, now: () => number): Reference {
  const sessions = new Map<string, Session>()
  const tokens = new Map<string, Issued>()
  const endings = createKnownEndings(processes)
  const writes = createKnownWrites(processes)
  const since = createKnownSince(processes)

  function judge({ process, isInTouch, cookies, loaded, isOwn }: Seen): void {
    const session = sessions.get(cookies.id!)
    if (!session) throw new Violation(`the model: session ${cookies.id} is of nobody`)
    const ending = endings.knownTo(process, session)
    if (ending && isServed(loaded, ending) && !isTolerated(session, ending)) {
      const name = ending.wasTold ? 'S3' : 'S4'
      throw new Violation(`${name}: process ${process} serves ${session.id}, which it must know as ended`)
    }
    if (loaded.status === 'found') judgeContent(session, loaded.data)
    if (endings.isEnded(session)) return

    const token = usable(cookies, session)
    const isThere = isInTouch && writes.isThere(session.id)
    if (isOpen('F4') && loaded.status === 'found' && loaded.degraded === 'empty') return
    if (isOpen('F7') && session.hasBlindWrites && session.wasLost) return
    if (loaded.status === 'found') {
      judgeUser(session, loaded.data['user'], token !== undefined || isThere)
      const floors = highest(writes.floorsOf(process, session.id, isInTouch), token?.floors ?? [])
      if (!session.isDiverged && (isInTouch || !session.isTorn || !isOpen('F1c')))
        judgeFloors(session, loaded.data, floors)
    } else if (isOwn && loaded.status === 'missing' && !(isOpen('F2') && session.isDiverged)) {
      if (isThere) throw new Violation(`S2: process ${process} denies ${session.id}, which is in the primary`)
      if (!isInTouch && !token)
        throw new Violation(`S8: process ${process} cannot know, and says that there is no ${session.id}`)
      if (token && !since.mayDistrust(process, token.at))
        throw new Violation(`S2: process ${process} denies ${session.id} in spite of its token`)
    } else if (isOwn && loaded.status === 'unknown' && (token || isThere)) {
      throw new Violation(`S2: process ${process} does not know ${session.id} ${token ? 'by its token' : ''}`)
    }
  }

  /** A token that still counts, and says all of its session. */
  function usable({ token }: Cookies, session: Session): Issued | undefined {
    const issued = token === undefined ? undefined : tokens.get(token)
    const isUsable =
      issued && issued.id === session.id && issued.goodUntil > now() && issued.user === session.user
    return isUsable ? issued : undefined
  }

  /** Without the primary's record nobody has all of a torn session. */
  function tear(isLost: (session: Session) => boolean): void {
    for (const session of sessions.values()) {
      if (!isLost(session)) continue
      session.wasLost = true
      if (isOpen('F8') && session.isTorn) session.isDiverged = true
    }
  }

  return {
    endings,
    writes,
    since,
    born: (id, user) =>
      void sessions.set(id, {
        id,
        user,
        bornAt: now(),
        values: new Map(),
        removals: new Map(),
        hasBlindWrites: false,
        wasLost: false,
        isDiverged: false,
        isTorn: false,
        wroteApart: false,
        forgiven: 0,
        acknowledged: new Map(),
      }),
    session: (id) => sessions.get(id),
    attempted(id, key, value, isRemoval) {
      const session = sessions.get(id)!
      if (isRemoval) session.removals.set(key, value)
      else session.values.set(key, (session.values.get(key) ?? new Set()).add(value))
    },
    issued: (text, token) => void tokens.set(text, token),
    token: (text) => (text === undefined ? undefined : tokens.get(text)),
    judge,
    lostRecords(id) {
      writes.lost(id)
      tear((session) => id === undefined || session.id === id)
    },
    converged(value) {
      for (const session of sessions.values()) {
        if (session.isDiverged) session.forgiven = value
        session.isDiverged = false
        session.wroteApart = false
      }
    },
    copy: () => ({ endings: endings.copy(), writes: writes.copy(), since: since.copy() }),
    restore(copy) {
      endings.restore(copy.endings)
      writes.restore(copy.writes)
      tear(() => true)
      since.restore(copy.since)
    },
  }
}

/** Whatever is shown was written to this very session. */
function judgeContent(session: Session, data: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(data)) {
    if (key === 'cookie') continue
    const isTheirs = key === 'user' ? value === session.user : session.values.get(key)?.has(value as number)
    if (!isTheirs)
      throw new Violation(`S7: ${session.id} shows ${key}=${String(value)}, which nobody wrote to it`)
  }
}

function judgeUser(session: Session, user: unknown, isOwed: boolean): void {
  if (user === session.user || (session.hasBlindWrites && !isOwed)) return
  throw new Violation(`S2: ${session.id} is of ${session.user}, and shows ${String(user)}`)
}

function judgeFloors(session: Session, data: Readonly<Record<string, unknown>>, floors: Floors): void {
  for (const [key, floor] of floors) {
    if (floor <= session.forgiven) continue
    const shown = data[key] === undefined ? (session.removals.get(key) ?? 0) : (data[key] as number)
    if (shown < floor)
      throw new Violation(
        `S5: ${session.id} shows ${key}=${String(data[key])}, though ${floor} was acknowledged and kept`,
      )
  }
}

/** What the keys of a session hold at least, by a content that was shown or sealed. */
export function floorsOf(session: Session, content: Readonly<Record<string, unknown>>): Floors {
  const floors = new Map<string, number>()
  for (const [key, value] of Object.entries(content)) {
    if (typeof value === 'number') floors.set(key, value)
  }
  // What is missing was taken away, as far as it is known: the removal is part of the content.
  for (const [key, value] of session.removals) if (!floors.has(key)) floors.set(key, value)
  return floors
}

/** What was written while nobody could know the session is shown, but not as its user's. */
function isServed(loaded: Loaded, { of }: Ending): boolean {
  return loaded.status === 'found' && (of === 'session' || loaded.data['user'] !== undefined)
}

/** Findings that are not mended yet. */
function isTolerated({ hasBlindWrites }: Session, { of }: Ending): boolean {
  return isOpen('F3') && hasBlindWrites && of === 'user'
}

export function isOpen(finding: string): boolean {
  return (process.env['OPEN'] ?? '').split(',').includes(finding)
}
