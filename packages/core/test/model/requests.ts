import { arrive, leave, type Action, type Outcome, type Visit } from './application.ts'
import type { Browser, Cookies } from './browser.ts'
import { patience, type Process } from './process.ts'
import { highest, type Floors } from './known-writes.ts'
import { endsSession, note, owedBy } from './notes.ts'
import { floorsOf, Violation } from './session.ts'
import type { World } from './world.ts'

/** A browser's request that has loaded its session. */
export interface Pending {
  readonly browser: Browser
  readonly process: Process
  readonly visit: Visit
  readonly wasInTouch: boolean
  /** What the session held when it was loaded. */
  readonly seen: Floors
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
  const { visit, seen } = await ask(world, process, browser.jar, browser)
  return { browser, process, visit, wasInTouch, seen }
}

/** Loads a session for whoever has its cookies. */
export async function ask(
  world: World,
  process: Process,
  cookies: Cookies,
  owner?: Browser,
): Promise<Pick<Pending, 'visit' | 'seen'>> {
  const { reference } = world
  const wasInTouch = process.isInTouch
  const visit = await bounded(world, arrive({ sessions: process.sessions, nextId: world.nextId }, cookies))
  const { loaded } = visit
  if (!loaded) return { visit, seen: new Map() }
  const isInTouch = wasInTouch && process.isInTouch
  world.note(
    () =>
      `  process ${process.index} finds ${cookies.id} ${shown(visit)}${isInTouch ? '' : ', out of touch'}`,
  )
  const asked = {
    process: process.index,
    isInTouch,
    canAsk: process.link.isAnswering,
    cookies,
    loaded,
    owed: owner?.owed,
  }
  reference.judge(asked)
  if (visit.isNew) return { visit, seen: new Map() }
  const session = reference.session(cookies.id!)!
  const seen = floorsOf(session, visit.content, reference.known(asked))
  if (loaded.status === 'found' && isInTouch && loaded.data['user'] === session.user)
    reference.writes.has(session.id, seen)
  return { visit, seen }
}

const reading: Action = { to: 'read' }

/** The second half: does what was asked, and keeps the cookies. */
export async function finish(world: World, pending: Pending, asked: Action): Promise<void> {
  const { browser, process, visit, wasInTouch } = pending
  const action = asked.to === 'unset' && visit.content[asked.key] === undefined ? reading : asked
  const { reference } = world
  const value = world.nextValue()
  const earlier = browser.jar
  if (endsSession(action) && earlier.id !== undefined) world.stolen.push(earlier)
  // Whatever comes of it may be seen from now on.
  if (action.to === 'set' || action.to === 'unset') {
    if (visit.isNew) reference.born(visit.id, undefined)
    reference.attempted(visit.id, action.key, value, action.to === 'unset')
    if (visit.from.status === 'unknown') reference.wroteBlind(visit.id)
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
  const key = action.to === 'set' || action.to === 'unset' ? action.key : undefined
  const made =
    outcome.id === visit.id ? highest(pending.seen, key === undefined ? [] : [[key, value]]) : new Map()
  note(world, pending, action, outcome, { key, value, made, isInTouch })
  judgeCookies(world, visit, outcome)
  browser.take(outcome.set, {
    id: outcome.id,
    floors: owedBy(outcome, made, outcome.set.token ?? earlier.token),
  })
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
async function bounded<T>(world: World, work: Promise<T>): Promise<T> {
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
