import { arrive, leave, type Action, type Outcome, type Visit } from './application.ts'
import type { Browser, Cookies } from './browser.ts'
import { patience, tokenLifetime, type Process } from './process.ts'
import { floorsOf, isOpen, Violation, type Reference, type Session } from './reference.ts'
import type { World } from './world.ts'

/** A browser's request that has loaded its session. */
export interface Pending {
  readonly browser: Browser
  readonly process: Process
  readonly visit: Visit
  readonly wasInTouch: boolean
}

/** A whole request of a browser. */
export async function request(
  world: World,
  browser: Browser,
  process: Process,
  action: Action,
): Promise<void> {
  await finish(world, await begin(world, browser, process), action)
}

/** The first half: loads the session, and holds it against the reference. */
export async function begin(world: World, browser: Browser, process: Process): Promise<Pending> {
  const wasInTouch = process.isInTouch
  const visit = await ask(world, process, browser.jar, true)
  return { browser, process, visit, wasInTouch }
}

/** Loads a session for whoever has its cookies. */
export async function ask(world: World, process: Process, cookies: Cookies, isOwn: boolean): Promise<Visit> {
  const { reference } = world
  const wasInTouch = process.isInTouch
  const visit = await bounded(world, arrive({ sessions: process.sessions, nextId: world.nextId }, cookies))
  const { loaded } = visit
  if (!loaded) return visit
  const isInTouch = wasInTouch && process.isInTouch
  world.note(
    () =>
      `  process ${process.index} finds ${cookies.id} ${shown(visit)}${isInTouch ? '' : ', out of touch'}`,
  )
  reference.judge({ process: process.index, isInTouch, cookies, loaded, isOwn })
  const session = reference.session(cookies.id!)!
  if (!isInTouch) session.wroteApart = true
  if (loaded.status === 'found' && isInTouch && loaded.data['user'] === session.user)
    reference.writes.has(session.id, floorsOf(session, loaded.data))
  return visit
}

/** The second half: does what was asked, and keeps the cookies. */
export async function finish(world: World, pending: Pending, action: Action): Promise<void> {
  const { browser, process, visit, wasInTouch } = pending
  const { reference } = world
  const value = world.nextValue()
  const earlier = browser.jar
  if (endsSession(action) && earlier.id !== undefined) world.stolen.push(earlier)
  // Whatever comes of it may be seen from now on.
  if (action.to === 'set' || action.to === 'unset') {
    if (visit.isNew) reference.born(visit.id, undefined)
    reference.attempted(visit.id, action.key, value, action.to === 'unset')
    if (visit.from.status === 'unknown') reference.session(visit.id)!.hasBlindWrites = true
  }
  const outcome = await bounded(
    world,
    leave(
      { sessions: process.sessions, nextId: world.nextId, value, headersFirst: world.random() < 0.5 },
      visit,
      action,
    ),
  )
  const isInTouch = wasInTouch && process.isInTouch
  noteEndings(world, pending, action, isInTouch)
  if (action.to === 'login') reference.born(outcome.id, action.user)
  noteWrite(world, pending, action, outcome, value, isInTouch)
  noteToken(world, pending, outcome)
  judgeCookies(world, visit, outcome)
  browser.take(outcome.set)
}

function endsSession({ to }: Action): boolean {
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
  action: Action,
  { id, isNew, saved, content }: Outcome,
  value: number,
  isInTouch: boolean,
): void {
  const key = action.to === 'set' || action.to === 'unset' ? action.key : undefined
  if (key !== undefined)
    noteDivergence(reference, reference.session(id)!, {
      content,
      key,
      value,
      isInTouch,
      process: process.index,
    })
  if (saved?.status !== 'found') return
  const on = isNew ? 'new' : visit.from.status === 'found' ? 'known' : 'unknown'
  if (key !== undefined) reference.writes.wrote(process.index, { session: id, key, value, on }, isInTouch)
  else if (isInTouch) reference.writes.has(id, [])
}

/**
 * What a request made of less than was acknowledged comes together again in the primary, if that has the rest and hears of
 * this one. Otherwise the session is two, until all has settled.
 */
function noteDivergence(
  { writes }: Reference,
  session: Session,
  write: { content: Outcome['content']; key: string; value: number; isInTouch: boolean; process: number },
): void {
  const { acknowledged } = session
  const content = floorsOf(session, write.content)
  const inPrimary = writes.floorsOf(write.process, session.id, true)
  for (const [key, value] of acknowledged) {
    if (key === write.key || (content.get(key) ?? 0) >= value) continue
    session.isTorn = true
    if (isOpen('F1') && (!write.isInTouch || (inPrimary.get(key) ?? 0) < value)) session.isDiverged = true
  }
  // What was taken away can come back: of what it was compared with, nothing has changed.
  if (!write.isInTouch) session.wroteApart = true
  if (isOpen('F5') && write.content[write.key] === undefined && session.wroteApart) session.isDiverged = true
  acknowledged.set(write.key, write.value)
}

function noteToken({ reference, clock }: World, { browser, visit }: Pending, outcome: Outcome): void {
  const { token } = outcome.set
  const session = reference.session(outcome.id)
  if (!token || !session) return
  const { from } = outcome
  const now = clock.now()
  const sent =
    from.status === 'found' && from.degraded !== false ? reference.token(visit.cookies.token) : undefined
  const floors = floorsOf(session, outcome.content)
  reference.issued(token, {
    id: outcome.id,
    at: now,
    goodUntil: Math.min(now + tokenLifetime, sent?.goodUntil ?? Infinity),
    user: outcome.content['user'],
    floors,
  })
  if ([...session.acknowledged].every(([key, value]) => (floors.get(key) ?? 0) >= value))
    session.isTorn = false
}

/** S8, S12: cookies change only for a session that is new, or that was ended. */
function judgeCookies({ reference }: World, { cookies, loaded }: Visit, { set, isNew }: Outcome): void {
  if (loaded?.status === 'unknown' && !isNew && (set.id || set.token))
    throw new Violation(`S8: a cookie is set for ${cookies.id}, which could not be known`)
  if (set.id !== null && set.token !== null) return
  if (!reference.endings.isEnded(reference.session(cookies.id!)!))
    throw new Violation(`S12: the cookies of ${cookies.id} are cleared, though nobody ended it`)
}

/** S1: no request fails, or waits for longer than the one operation timeout that trips the circuit. */
export async function bounded<T>(world: World, work: Promise<T>): Promise<T> {
  let result: { readonly of: T } | { readonly failure: unknown } | undefined
  work.then(
    (of) => (result = { of }),
    (failure: unknown) => (result = { failure }),
  )
  const isDone = await world.clock.until(() => result !== undefined, patience)
  if (!isDone) throw new Violation(`S1: a request is still waiting after ${patience} ms`)
  if ('failure' in result!)
    throw new Violation(`S1: a request fails: ${String(result.failure)}`, { cause: result.failure })
  return result!.of
}

function shown({ loaded }: Visit): string {
  if (loaded?.status !== 'found') return `"${loaded?.status}"`
  const { cookie: _, ...content } = loaded.data
  return `${JSON.stringify(content)}${loaded.degraded === false ? '' : ` by ${loaded.degraded}`}`
}
