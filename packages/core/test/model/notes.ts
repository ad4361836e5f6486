import type { Action, Outcome } from './application.ts'
import type { Floors } from './known-writes.ts'
import { tokenLifetime } from './process.ts'
import type { Reference } from './reference.ts'
import type { Pending } from './requests.ts'
import type { Session, Written } from './session.ts'
import type { World } from './world.ts'

/** What a request made of its session. */
export interface Made {
  /** The key that it wrote or took away, if it did. */
  readonly key: string | undefined
  readonly value: number
  /** What the session holds at least, as this request has it. */
  readonly made: Floors
  readonly isInTouch: boolean
}

/** Tells the reference what a request came to. */
export function note(world: World, pending: Pending, action: Action, outcome: Outcome, made: Made): void {
  noteEndings(world, pending, action, made.isInTouch)
  if (action.to === 'login') world.reference.born(outcome.id, action.user)
  noteWrite(world, pending, outcome, made)
  noteToken(world, pending, outcome, made)
}

export function endsSession({ to }: Action): boolean {
  return to === 'login' || to.startsWith('logout')
}

function noteEndings(world: World, { process, visit }: Pending, action: Action, wasTold: boolean): void {
  const { endings } = world.reference
  const by = { process: process.index, hearing: wasTold ? world.hearing() : [] }
  const user = visit.content['user']
  const now = world.clock.now()
  if (user !== undefined && (action.to === 'logout everywhere' || action.to === 'logout elsewhere')) {
    const except = action.to === 'logout elsewhere' ? visit.id : undefined
    endings.mark(
      {
        of: 'user',
        wasTold,
        covers: (session) => session.user === user && session.bornAt < now && session.id !== except,
      },
      by,
    )
  }
  if (endsSession(action) && action.to !== 'logout elsewhere' && !visit.isNew)
    endings.mark({ of: 'session', wasTold, covers: ({ id }) => id === visit.id }, by)
}

function noteWrite(
  { reference }: World,
  { process, visit }: Pending,
  { id, isNew, saved, content }: Outcome,
  { key, value, made, isInTouch }: Made,
): void {
  if (key !== undefined) {
    const isRemoval = content[key] === undefined
    const session = reference.session(id)!
    noteDivergence(reference, session, made, { key, value, isRemoval, isInTouch, process: process.index })
    // Without its token a process cannot tell what of its own has reached the primary by way of another one.
    const hasToken = reference.token(visit.cookies.token)?.id === id
    if (isRemoval && !isInTouch && !hasToken) session.isDiverged = true
  }
  if (saved?.status !== 'found') return
  const on = isNew ? 'new' : visit.from.status === 'found' ? 'known' : 'unknown'
  if (key !== undefined) reference.writes.wrote(process.index, { session: id, key, value, on }, isInTouch)
  else if (isInTouch) reference.writes.has(id, [])
}

/**
 * What a request made of less than was acknowledged comes together again in the primary, if that has the rest and hears of
 * this one. Otherwise the session is two, until all has settled.
 */
function noteDivergence({ writes }: Reference, session: Session, made: Floors, write: Written): void {
  const { acknowledged } = session
  const inPrimary = writes.floorsOf(write.process, session.id, true)
  for (const [key, value] of acknowledged) {
    if ((made.get(key) ?? 0) >= value) continue
    session.isTorn = true
    // What was taken out of the primary stays out, whatever it is that was written without knowing.
    const isTakenOut = session.removals.get(key) === value
    if ((!write.isInTouch && !isTakenOut) || (inPrimary.get(key) ?? 0) < value) session.isDiverged = true
  }
  if (write.isRemoval && mayReturn(session, write)) session.isDiverged = true
  session.written.push(write)
  acknowledged.set(write.key, write.value)
}

/**
 * Stated limits: what one process sets and another takes away in the same outage may come back, as the record cannot tell
 * what it has swallowed already; and so may what overlapping requests left out of the visitor's token.
 */
function mayReturn({ written, isTorn }: Session, { key, process, isInTouch }: Written): boolean {
  if (isTorn && !isInTouch) return true
  return written.some(
    (other) => other.key === key && other.process !== process && !(other.isInTouch && isInTouch),
  )
}

function noteToken({ reference, clock }: World, { visit }: Pending, outcome: Outcome, { made }: Made): void {
  const { token } = outcome.set
  const session = reference.session(outcome.id)
  if (!token || !session) return
  const { from } = outcome
  const now = clock.now()
  const sent =
    from.status === 'found' && from.degraded !== false ? reference.token(visit.cookies.token) : undefined
  const isWhole = [...session.acknowledged].every(([key, value]) => (made.get(key) ?? 0) >= value)
  if (isWhole) session.isTorn = false
  reference.issued(token, {
    id: outcome.id,
    at: now,
    goodUntil: Math.min(now + tokenLifetime, sent?.goodUntil ?? Infinity),
    user: outcome.content['user'],
    floors: made,
    isTorn: session.isTorn,
  })
}

/** What a response was made of has to be there for the next request, by the token or otherwise. */
export function owedBy({ from }: Outcome, made: Floors, token: string | null | undefined): Floors {
  const isKnown = from.status !== 'unknown' && !(from.status === 'found' && from.degraded === 'empty')
  return token && isKnown ? made : new Map()
}
