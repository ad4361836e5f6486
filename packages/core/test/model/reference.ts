import type { Loaded } from '../../src/session/loaded.ts'
import type { Cookies } from './browser.ts'
import { createKnownEndings, type Ending, type KnownEndings } from './known-endings.ts'
import { createKnownSince, type KnownSince } from './known-since.ts'
import { createKnownWrites, highest, type Floors, type KnownWrites } from './known-writes.ts'
import { judgeContent, judgeFloors, judgeUser, newSession, Violation, type Session } from './session.ts'

/**
 * Who is logged in as whom, what was written, and who must know of it: the small model that the engine is held against.
 *
 * - S1: `requests.ts` bounds every request, and lets none fail.
 * - S2: a session that nobody ended is found by its token, or by the primary, and is its user's.
 * - S3, S4: who must know of an ending refuses the session: however late a save of it arrives (S11), too.
 * - S5: what was acknowledged is shown by who keeps it: a process, the token, the primary; so no change of another request is
 *   lost in touch with the primary (S6), and none is taken back by a late one (S11).
 * - S7: nothing is shown that was not written to this very session.
 * - S8, S12: `requests.ts` holds the cookies of each response against it.
 *
 * What the stated limits allow is not judged: `isTorn`, `isDiverged` and `hasBlindWrites` of a session say when.
 */
export interface Reference {
  readonly endings: KnownEndings
  readonly writes: KnownWrites
  readonly since: KnownSince
  born(id: string, user: string | undefined): void
  session(id: string): Session | undefined
  /** A value was written, or taken away, by a request that may still fail. */
  attempted(id: string, key: string, value: number, isRemoval: boolean): void
  /** Something is written to a session that cannot be known. */
  wroteBlind(id: string): void
  issued(text: string, token: Issued): void
  token(text: string | undefined): Issued | undefined
  /** Throws a {@link Violation} where loading came to what it may not. */
  judge(seen: Seen): void
  /** What had to be known of a session, by the process, by its token, and by what the browser is owed. */
  known(seen: Seen): Floors
  /** The primary lost records: of one session, or of all. */
  lostRecords(id?: string): void
  /** All that was written apart has been brought together, as far as it could be. */
  converged(value: number): void
  copy(): PrimaryKnowledge
  restore(copy: PrimaryKnowledge): void
}

/** A token that a response set. */
export interface Issued {
  readonly id: string
  readonly at: number
  /** It is good for at least this long. */
  readonly goodUntil: number
  readonly user: unknown
  readonly floors: Floors
  /** It lacks what another request has written meanwhile. */
  readonly isTorn: boolean
}

/** What a process made of cookies. */
export interface Seen {
  readonly process: number
  readonly isInTouch: boolean
  /** The primary answers at least what does not write. */
  readonly canAsk: boolean
  readonly cookies: Cookies
  readonly loaded: Loaded
  /** What is owed to the browser that they belong to; absent for cookies that were copied or forged. */
  readonly owed: Floors | undefined
}

export interface PrimaryKnowledge {
  readonly endings: ReturnType<KnownEndings['copy']>
  readonly writes: ReturnType<KnownWrites['copy']>
  readonly since: ReturnType<KnownSince['copy']>
}

export function createReference(processes: number, now: () => number): Reference {
  const sessions = new Map<string, Session>()
  const tokens = new Map<string, Issued>()
  const endings = createKnownEndings(processes)
  const writes = createKnownWrites(processes)
  const since = createKnownSince(processes)

  function judge({ process, isInTouch, canAsk, cookies, loaded, owed }: Seen): void {
    const session = sessions.get(cookies.id!)
    if (!session) throw new Violation(`the model: session ${cookies.id} is of nobody`)
    const ending = endings.knownTo(process, session)
    if (ending && isServed(loaded, ending)) {
      const name = ending.wasTold ? 'S3' : 'S4'
      throw new Violation(`${name}: process ${process} serves ${session.id}, which it must know as ended`)
    }
    if (loaded.status === 'found') judgeContent(session, loaded.data)
    if (endings.isEnded(session)) return

    const token = usable(cookies, session)
    const isThere = isInTouch && writes.isThere(session.id)
    if (session.hasBlindWrites && session.wasLost) return
    if (loaded.status === 'found') {
      judgeUser(session, loaded.data['user'], token !== undefined || isThere)
      const isTorn = session.isTorn || token?.isTorn === true
      if (!session.isDiverged && (isInTouch || !isTorn))
        judgeFloors(session, loaded.data, floorsBy(session, token, { process, isInTouch, owed }))
    } else if (owed && loaded.status === 'missing') {
      if (isThere) throw new Violation(`S2: process ${process} denies ${session.id}, which is in the primary`)
      if (!canAsk && !token)
        throw new Violation(`S8: process ${process} cannot know, and says that there is no ${session.id}`)
      if (token && !since.mayDistrust(process, token.at))
        throw new Violation(`S2: process ${process} denies ${session.id} in spite of its token`)
    } else if (owed && loaded.status === 'unknown' && (token || isThere)) {
      throw new Violation(`S2: process ${process} does not know ${session.id} ${token ? 'by its token' : ''}`)
    }
  }

  function floorsBy(
    session: Session,
    token: Issued | undefined,
    { process, isInTouch, owed }: Pick<Seen, 'process' | 'isInTouch' | 'owed'>,
  ): Floors {
    const kept = writes.floorsOf(process, session.id, isInTouch)
    const said = token && !token.isTorn ? token.floors : []
    return highest(kept, token ? highest(said, owed ?? []) : [])
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
      if (session.isTorn) session.isDiverged = true
    }
  }

  return {
    endings,
    writes,
    since,
    born: (id, user) => void sessions.set(id, newSession(id, user, now())),
    session: (id) => sessions.get(id),
    attempted(id, key, value, isRemoval) {
      const session = sessions.get(id)!
      if (isRemoval) session.removals.set(key, value)
      else session.values.set(key, (session.values.get(key) ?? new Set()).add(value))
    },
    wroteBlind(id) {
      const session = sessions.get(id)!
      session.hasBlindWrites = true
      if (!writes.isThere(id)) session.wasLost = true
    },
    issued: (text, token) => void tokens.set(text, token),
    token: (text) => (text === undefined ? undefined : tokens.get(text)),
    judge,
    known(seen) {
      const session = sessions.get(seen.cookies.id!)!
      return floorsBy(session, usable(seen.cookies, session), seen)
    },
    lostRecords(id) {
      writes.lost(id)
      tear((session) => id === undefined || session.id === id)
    },
    converged(value) {
      for (const session of sessions.values()) {
        if (session.isDiverged) session.forgiven = value
        session.isDiverged = false
        session.written = []
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

/** What was written while nobody could know the session is shown, but not as its user's. */
function isServed(loaded: Loaded, { of }: Ending): boolean {
  return loaded.status === 'found' && (of === 'session' || loaded.data['user'] !== undefined)
}
