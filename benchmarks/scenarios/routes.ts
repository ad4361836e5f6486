import type { Sessions, State } from '@holdfast/core'
import { setTimeout as pause } from 'node:timers/promises'

/** One request, as both frameworks show it to the routes. */
export interface Visit {
  readonly body: Readonly<Record<string, unknown>>
  /** Another one after {@link Visit.regenerate}. */
  readonly session: Record<string, unknown>
  readonly id: string
  readonly isDegraded: boolean
  readonly sessions: Pick<Sessions, 'list' | 'endAll' | 'handleOf'>
  readonly state: State
  regenerate(): Promise<void>
  destroy(): Promise<void>
}

interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  answer(visit: Visit): unknown
}

/** The application: written once, served by each framework. */
export const routes: readonly Route[] = [
  { method: 'POST', path: '/login', answer: logIn },
  { method: 'GET', path: '/me', answer: show },
  { method: 'POST', path: '/set', answer: set },
  { method: 'POST', path: '/logout', answer: logOut },
  { method: 'GET', path: '/devices', answer: listDevices },
  { method: 'POST', path: '/password', answer: changePassword },
  { method: 'POST', path: '/logout-everywhere', answer: logOutEverywhere },
  { method: 'GET', path: '/state', answer: ({ state }) => ({ state }) },
]

async function logIn(visit: Visit): Promise<unknown> {
  const { user, device } = visit.body
  await visit.regenerate()
  Object.assign(visit.session, { user, device })
  return { user }
}

function show({ session, isDegraded }: Visit): unknown {
  const { user = null, cart = null, theme = null } = session
  return { user, cart, theme, isDegraded }
}

/** Two requests overlap where the first one waits with its write. */
async function set({ body: { key, value, waitMs }, session }: Visit): Promise<unknown> {
  if (typeof waitMs === 'number') await pause(waitMs)
  session[String(key)] = value
  return { user: session.user ?? null }
}

async function logOut(visit: Visit): Promise<unknown> {
  await visit.destroy()
  return { user: null }
}

async function listDevices({ sessions, session, id }: Visit): Promise<unknown> {
  const own = sessions.handleOf(id)
  const devices = await sessions.list(String(session.user))
  return devices.map(({ handle, note }) => ({
    handle,
    device: (note as { device: unknown }).device,
    isCurrent: handle === own,
  }))
}

/** Whoever else was logged in as this user is not, from now on. */
async function changePassword({ sessions, session, id }: Visit): Promise<unknown> {
  await sessions.endAll(String(session.user), { except: id })
  return { user: session.user }
}

async function logOutEverywhere({ sessions, session }: Visit): Promise<unknown> {
  await sessions.endAll(String(session.user))
  return { user: null }
}
