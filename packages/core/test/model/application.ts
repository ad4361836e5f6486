import type { Loaded } from '../../src/session/loaded.ts'
import type { SessionData } from '../../src/session/session-data.ts'
import type { Sessions } from '../../src/session/sessions.ts'
import type { Cookies, SetCookies } from './browser.ts'

/** What a request does with its session. */
export type Action =
  | { readonly to: 'read' }
  | { readonly to: 'set'; readonly key: string }
  | { readonly to: 'unset'; readonly key: string }
  /** With a new session id, as one should. */
  | { readonly to: 'login'; readonly user: string }
  | { readonly to: 'logout' }
  | { readonly to: 'logout everywhere' }
  | { readonly to: 'logout elsewhere' }

/** A request that has loaded its session. */
export interface Visit {
  readonly cookies: Cookies
  /** What the id and token that came with it were loaded as; absent without an id. */
  readonly loaded: Loaded | undefined
  /** The session that the application sees: a new one where nothing was found. */
  readonly id: string
  readonly from: Loaded
  readonly content: Readonly<Record<string, unknown>>
  readonly isNew: boolean
}

/** What a request came to. */
export interface Outcome {
  readonly set: SetCookies
  /** The session that the response's cookies are of. */
  readonly id: string
  readonly content: Readonly<Record<string, unknown>>
  readonly from: Loaded
  readonly isNew: boolean
  /** What saving came to; absent where nothing was saved. */
  readonly saved?: Loaded
}

/** What a request needs beside its session. */
export interface Surroundings {
  readonly sessions: Sessions
  readonly nextId: () => string
  /** The value that a `set` writes: later ones are greater. */
  readonly value: number
  /** Whether the headers leave before the session has been saved. */
  readonly headersFirst: boolean
}

const cookie = { originalMaxAge: null, expires: null }
const overhead = 100

/** The first half of a request, as the adapters do it: of nothing found a new session is made, of an unknown one an empty one. */
export async function arrive(
  { sessions, nextId }: Pick<Surroundings, 'sessions' | 'nextId'>,
  cookies: Cookies,
): Promise<Visit> {
  const loaded = cookies.id === undefined ? undefined : await sessions.load(cookies.id, cookies.token)
  if (!loaded || loaded.status === 'missing') {
    const fresh = { id: nextId(), from: sessions.begin(), content: {}, isNew: true }
    return { cookies, loaded, ...fresh }
  }
  const { cookie: _, ...content } = loaded.status === 'found' ? loaded.data : {}
  return { cookies, loaded, id: cookies.id!, from: loaded, content, isNew: false }
}

/** The second half: does what was asked, saves, and decides on the cookies. */
export async function leave(around: Surroundings, visit: Visit, action: Action): Promise<Outcome> {
  const { sessions, nextId, value } = around
  const { id, content } = visit
  switch (action.to) {
    case 'read':
      return visit.isNew ? unchanged(around, visit) : touched(around, visit)
    case 'set':
      return saved(around, { ...visit, content: { ...content, [action.key]: value } })
    case 'unset': {
      const { [action.key]: _, ...rest } = content
      return saved(around, { ...visit, content: rest })
    }
    case 'login':
      if (!visit.isNew) await sessions.end(id)
      return saved(around, {
        ...visit,
        id: nextId(),
        from: sessions.begin(),
        content: { user: action.user },
        isNew: true,
      })
    case 'logout':
      if (!visit.isNew) await sessions.end(id)
      return gone(around, visit)
    case 'logout everywhere':
      if (typeof content['user'] === 'string') await sessions.endAll(content['user'])
      if (!visit.isNew) await sessions.end(id)
      return gone(around, visit)
    case 'logout elsewhere':
      if (typeof content['user'] === 'string') await sessions.endAll(content['user'], { except: id })
      return unchanged(around, visit)
  }
}

async function saved({ sessions, headersFirst }: Surroundings, visit: Visit): Promise<Outcome> {
  const { id, from, content, isNew } = visit
  const data: SessionData = { ...content, cookie }
  const saving = sessions.save(id, data, from)
  const early = headersFirst ? sessions.tokenFor(id, data, from, () => overhead) : undefined
  const outcome = await saving
  const token = headersFirst ? early : sessions.tokenFor(id, data, from, () => overhead)
  return { set: cookiesOf(id, isNew, token), id, content, from, isNew, saved: outcome }
}

async function touched({ sessions }: Surroundings, { id, from, content }: Visit): Promise<Outcome> {
  const data: SessionData = { ...content, cookie }
  await sessions.touch(id, data, from)
  const token = sessions.tokenFor(id, data, from, () => overhead)
  return { set: cookiesOf(id, false, token), id, content, from, isNew: false }
}

function unchanged(around: Surroundings, visit: Visit): Promise<Outcome> | Outcome {
  return visit.isNew ? gone(around, visit) : touched(around, visit)
}

/** No session is left: the cookies go if the session that they name was ended, and only then. */
function gone({ sessions }: Surroundings, { cookies, id, from, content, isNew }: Visit): Outcome {
  const isEnded = cookies.id !== undefined && sessions.isEnded(cookies.id)
  return { set: isEnded ? { id: null, token: null } : {}, id, content, from, isNew }
}

function cookiesOf(id: string, isNew: boolean, token: string | undefined): SetCookies {
  return { ...(isNew ? { id } : {}), ...(token === undefined ? {} : { token }) }
}
