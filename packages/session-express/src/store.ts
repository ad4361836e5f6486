import {
  answer,
  HoldfastError,
  openSessions,
  refuseUnknownOptions,
  type Callback,
  type Degraded,
  type HeldSessions,
  type Holdfast,
  type Loaded,
  type SessionData as CoreSessionData,
  type Sessions,
} from '@holdfast/core'
import type { Request } from 'express'
import expressSession, { type SessionData } from 'express-session'
import { storeOptionNames, type HoldfastStoreOptions } from './options.ts'
import type { Visit } from './token-cookie.ts'

type StoredSession = SessionData & { id: string }

/**
 * The store for those who call `express-session` themselves: `session({ store: new HoldfastStore(), secret })`. No method fails
 * or waits because Redis is away, but for `clear`: a session that this process has seen goes on from its memory,
 * and one that it has not seen is shown as an empty one under the visitor's own id, so that it is found again. (The
 * continuity token, which carries a session to a process that has not seen it, needs the middleware `session`.)
 */
export class HoldfastStore extends expressSession.Store {
  /** Set by express-session: makes a new session for a request, by the middleware's options. */
  declare generate?: (req: Request) => void
  /** State, events and health. */
  readonly holdfast: Holdfast
  /** The engine: a user's sessions, ending them, and what the token cookie is made of. */
  readonly sessions: Sessions
  readonly #held: HeldSessions
  readonly #disableTouch: boolean
  /** What each session object of a request was loaded as: a save is based on it. */
  readonly #loads = new WeakMap<object, Loaded>()
  /** The request for which express-session is asking at this moment. */
  #visit: Visit | undefined

  constructor(options: HoldfastStoreOptions = {}) {
    super()
    refuseUnknownOptions(options, storeOptionNames)
    const { disableTouch = false, ...own } = options
    this.#held = openSessions(own)
    this.holdfast = this.#held.holdfast
    this.sessions = this.#held.sessions
    this.#disableTouch = disableTouch
  }

  override get(sid: string, callback?: Callback<SessionData | null>): Promise<SessionData | null> {
    const visit = this.#visit
    if (visit) visit.id = sid
    return answer(
      this.sessions.load(sid, visit?.token).then((loaded) => {
        if (visit) visit.isFound = loaded.status !== 'missing'
        if (loaded.status === 'missing') return null
        const data = (loaded.status === 'found' ? loaded.data : { cookie: {} }) as unknown as SessionData
        this.#loads.set(data, loaded)
        return data
      }),
      callback,
    )
  }

  /** Runs what asks for a session, synchronously, on behalf of a request. */
  during(visit: Visit, ask: () => void): void {
    this.#visit = visit
    try {
      ask()
    } finally {
      this.#visit = undefined
    }
  }

  /** What a session runs on while Redis is away; `false` for one that Redis stands behind. See {@link degraded}. */
  degradedOf(session: object): Degraded {
    const loaded = this.#loads.get(session)
    if (loaded?.status === 'found') return loaded.degraded
    if (loaded?.status === 'unknown') return 'empty'
    return this.holdfast.state === 'healthy' ? false : 'memory'
  }

  /** Gives the continuity token that a response should set; `overhead` gives the bytes of its cookie without it. */
  tokenFor(
    session: expressSession.Session & Partial<SessionData>,
    overhead: () => number,
  ): string | undefined {
    return this.sessions.tokenFor(
      session.id,
      coreData(session as SessionData),
      this.#loadOf(session),
      overhead,
    )
  }

  #loadOf(session: object): Loaded {
    const known = this.#loads.get(session)
    if (known) return known
    const begun = this.sessions.begin()
    this.#loads.set(session, begun)
    return begun
  }

  override set(sid: string, session: SessionData, callback?: Callback<void>): Promise<void> {
    return answer(
      this.sessions.save(sid, coreData(session), this.#loadOf(coreData(session))).then((saved) => {
        this.#loads.set(session, saved)
      }),
      callback,
    )
  }

  override touch(sid: string, session: SessionData, callback?: Callback<void>): Promise<void> {
    const touched = this.#disableTouch
      ? Promise.resolve()
      : this.sessions.touch(sid, coreData(session), this.#loads.get(session))
    return answer(touched, callback)
  }

  override destroy(sid: string, callback?: Callback<void>): Promise<void> {
    return answer(this.sessions.end(sid), callback)
  }

  override all(callback?: Callback<StoredSession[]>): Promise<StoredSession[]> {
    const all = this.sessions
      .all()
      .then((entries) => entries.map(({ id, data }) => Object.assign(data as unknown as SessionData, { id })))
    return answer(all, callback)
  }

  ids(callback?: Callback<string[]>): Promise<string[]> {
    return answer(this.sessions.ids(), callback)
  }

  override length(callback?: Callback<number>): Promise<number> {
    return answer(this.sessions.count(), callback)
  }

  override clear(callback?: Callback<void>): Promise<void> {
    return answer(this.sessions.clear(), callback)
  }

  /** Lets go of Redis, so that the process can exit. A Holdfast that was handed in stays open. */
  async close(): Promise<void> {
    await this.#held.close()
  }

  /** Called by express-session with what {@link get} gave; the session object of the request is another one. */
  override createSession(req: Request, data: SessionData): expressSession.Session & SessionData {
    const loaded = this.#loads.get(data)
    if (loaded?.status === 'unknown') data.cookie = this.#freshCookie(req)
    const session = super.createSession(req, data)
    if (loaded) this.#loads.set(session, loaded)
    const token = loaded?.status === 'found' ? loaded.token?.text : undefined
    if (token !== undefined) this.#reloadWith(token, session)
    return session
  }

  /** `req.session.reload()` asks for the session once more, with what the request came with. */
  #reloadWith(token: string, session: expressSession.Session): void {
    const reload = session.reload
    const value = (callback: (error: unknown) => void): expressSession.Session => {
      this.during({ token, id: undefined, isFound: false }, () => reload.call(session, callback))
      return session
    }
    Object.defineProperty(session, 'reload', { configurable: true, enumerable: false, writable: true, value })
  }

  /** The cookie of an empty session, by the middleware's own options, which only its `generate` knows. */
  #freshCookie(req: Request): expressSession.Cookie {
    if (typeof this.generate !== 'function' || !('headers' in req)) return new expressSession.Cookie()
    const { sessionID } = req
    this.generate(req)
    const { cookie } = req.session
    req.sessionID = sessionID
    return cookie
  }
}

function coreData(session: SessionData): CoreSessionData {
  if (typeof session === 'object' && session !== null) return session as CoreSessionData
  throw new HoldfastError('ERR_HOLDFAST_NOT_SERIALISABLE', 'A session must be an object.')
}
