import type { Member } from '../backend/backend.ts'
import { century, type Milliseconds } from '../units.ts'

/** One session's ending, or that of all sessions of a user that began before a time. */
export type Ending =
  | {
      readonly of: 'session'
      /** Its digest. */
      readonly session: string
      /** When the mark may be forgotten, in ms since the epoch: neither a token nor a record can be left by then. */
      readonly until: number
    }
  | {
      readonly of: 'user'
      /** The user's digest. */
      readonly user: string
      readonly before: number
      /** The digest of the one session that goes on. */
      readonly except: string | undefined
      readonly until: number
    }

/** The marks of endings that this process holds. */
export interface Marks {
  /** Endings since this time, in ms since the epoch, are all known; of earlier ones some may not be. */
  since(): number
  isEmpty(): boolean
  isEnded(session: string): boolean
  /** Whether all sessions of a user that began before a time were ended, and this one with them. */
  isUserEnded(user: string, session: string, begunAt: number): boolean
  /** Up to when the sessions of a user were ended last; 0 where they were not. */
  userEndedBefore(user: string): number
  /** Adds a mark; gives the member that stands for it. */
  mark(ending: Ending): Member
  /** Adds what another process told. What is no mark is passed over. Tells whether this process knows more than the primary. */
  learn(member: Member): boolean
  /** Whether the primary held no note of its own when this process first looked: others who live may know more. */
  isFirst(): boolean
  /** Adds all that the primary holds, and gives what it lacks. */
  join(theirs: ReadonlyMap<string, number>): Member[]
}

interface UserMark {
  readonly before: number
  readonly except: string | undefined
  readonly until: number
}

/** How long the note of since when the marks are complete is kept in the primary, and when it is renewed. */
const noteLife: Milliseconds = 400 * 86_400_000
const renewNote: Milliseconds = 200 * 86_400_000
/** Within this of its start a process knows all endings, if there were none before it. */
const startTime: Milliseconds = 5_000
const sessionMember = /^s([\w-]{22})$/
const userMember = /^u([\w-]{22})\.(\d{1,15}(?:\.\d{1,6})?)\.([\w-]{22})?$/
const sinceMember = /^c(\d{1,15})$/

export function createMarks({ now, max }: { now: () => number; max: number }): Marks {
  /** In the order in which they were made or heard, so that the oldest can give way. */
  const members = new Map<string, { readonly until: number; readonly at: number }>()
  /** Until when the mark of each session counts. */
  const sessions = new Map<string, number>()
  const users = new Map<string, UserMark[]>()
  /** Since when the primary's set is complete. Until it was heard nothing can be held against a token. */
  let coverage = 0
  /** When the youngest of the marks that were dropped for want of room was made. */
  let forgotten = 0
  let hasJoined = false
  let isFirst = false
  const startedAt = now()

  function keep(member: string, until: number): void {
    const known = members.get(member)
    if (known && known.until >= until) return
    members.delete(member)
    members.set(member, { until, at: now() })
    index(member, until)
    if (members.size > max) makeRoom()
  }

  function index(member: string, until: number): void {
    const [, session] = sessionMember.exec(member) ?? []
    if (session !== undefined) return void sessions.set(session, until)
    const [, user, before, except] = userMember.exec(member) ?? []
    if (user === undefined) return
    const live = (users.get(user) ?? []).filter((mark) => mark.until > now())
    users.set(user, [...live, { before: Number(before), except, until }])
  }

  /** A share at a time, so that a full table is not walked for each new mark. */
  function makeRoom(): void {
    const time = now()
    for (const [member, { until }] of members) if (until <= time) members.delete(member)
    for (const [member, { at }] of members) {
      if (members.size <= max * 0.9) break
      members.delete(member)
      forgotten = at
    }
    sessions.clear()
    users.clear()
    for (const [member, { until }] of members) index(member, until)
  }

  function learn([member, until]: Member): boolean {
    // What claims to live longer was not made here.
    if (!(until > now() && until < now() + century)) return false
    if (sessionMember.test(member) || userMember.test(member)) keep(member, until)
    const since = noteOf(member)
    if (since === undefined || !hasJoined) return false
    const knowsMore = coverage < since
    coverage = Math.min(coverage, since)
    return knowsMore
  }

  return {
    since: () => Math.max(coverage, forgotten),
    isEmpty: () => members.size === 0,
    isEnded(session) {
      const until = sessions.get(session)
      return until !== undefined && until > now()
    },
    isUserEnded(user, session, begunAt) {
      return (users.get(user) ?? []).some(
        ({ before, except, until }) => until > now() && begunAt < before && except !== session,
      )
    },
    userEndedBefore: (user) => Math.max(0, ...(users.get(user) ?? []).map(({ before }) => before)),
    mark(ending) {
      const member =
        ending.of === 'session'
          ? `s${ending.session}`
          : `u${ending.user}.${ending.before.toFixed(3)}.${ending.except ?? ''}`
      const until = Math.ceil(ending.until)
      keep(member, until)
      return [member, until]
    },
    learn,
    isFirst: () => isFirst,
    join(theirs) {
      const time = now()
      const missing = [...members]
        .map(([member, { until }]): Member => [member, until])
        .filter(([member, until]) => until > time && (theirs.get(member) ?? 0) < until)
      const notes = [...theirs].flatMap(([member, until]) => {
        const at = noteOf(member)
        return at === undefined ? [] : [{ at, until }]
      })
      const earliest = notes.reduce((least, { at }) => Math.min(least, at), Infinity)
      // A set without a note is new, or has lost what it held: it is complete from now on, unless a process knows better.
      if (!hasJoined) {
        isFirst = earliest === Infinity
        coverage = isFirst ? Math.floor(Math.max(startedAt, time - startTime)) : earliest
      } else coverage = Math.min(coverage, earliest)
      hasJoined = true
      for (const member of theirs) learn(member)
      const isNoted = notes.some(({ at, until }) => at <= coverage && until - time > renewNote)
      return isNoted ? missing : [...missing, [`c${coverage}`, time + noteLife]]
    },
  }
}

/** Since when the marks are complete, where a member is the note of it. */
function noteOf(member: string): number | undefined {
  const [, at] = sinceMember.exec(member) ?? []
  return at === undefined ? undefined : Number(at)
}
