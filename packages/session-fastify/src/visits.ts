import type { Loaded } from '@holdfast/core'
import type { FastifyRequest } from 'fastify'

/** What a session object of a request stands for. */
export interface Held {
  /** What the next save is based on. */
  readonly loaded: Loaded
  /** What it was loaded as by the id of the visitor's cookie, before any save; absent for a session that is new. */
  readonly first: Loaded | undefined
  /** The cookie's settings as they were loaded or saved last. */
  readonly settings: string
}

/**
 * Carries between a request and the store what @fastify/session does not: the token to the store, which is asked with an
 * id alone; and what a session was loaded as to its session object, which is made of a copy. Both go by time: the store is
 * asked within the `onRequest` hook, and `request.session` is set within the store's callback.
 */
export class Visits {
  /** The token of the request that asks right now. */
  token: string | undefined
  /** The ids of sessions that are being ended: their requests hold them until that is answered. */
  readonly ending: Set<string> = new Set()
  #answer: Loaded | undefined
  readonly #held = new WeakMap<object, Held>()
  readonly #last = new WeakMap<FastifyRequest, RequestSession>()

  /** Begins a request's visit; what `ask` asks the store at once is asked with the token. */
  begin(request: FastifyRequest, token: string | undefined, ask: () => void): void {
    let current: unknown
    Object.defineProperty(request, 'session', {
      configurable: true,
      enumerable: true,
      get: () => current,
      set: (session: unknown) => {
        current = session
        if (isSession(session)) this.#begun(request, session, token)
      },
    })
    this.#askWith(token, ask)
  }

  /** Runs a callback of the store: a session object that it makes at once is held as what was loaded. */
  answering(loaded: Loaded, callback: () => void): void {
    this.#answer = loaded
    try {
      callback()
    } finally {
      this.#answer = undefined
    }
  }

  held(session: object): Held | undefined {
    return this.#held.get(session)
  }

  /** The last session that a request had, also when it was destroyed. */
  last(request: FastifyRequest): RequestSession | undefined {
    return this.#last.get(request)
  }

  /** Notes that a session object was loaded. */
  loaded(session: object, loaded: Loaded): void {
    this.#held.set(session, { loaded, first: loaded, settings: cookieSettings(session) })
  }

  /** Notes that a session object was saved. */
  saved(session: object, loaded: Loaded): void {
    this.#held.set(session, { loaded, first: this.held(session)?.first, settings: cookieSettings(session) })
  }

  #begun(request: FastifyRequest, session: RequestSession, token: string | undefined): void {
    const answer = this.#answer
    this.#answer = undefined
    this.#last.set(request, session)
    if (!answer) return
    this.loaded(session, answer)
    if (token !== undefined) this.#reloadWith(token, session)
  }

  /** `request.session.reload()` asks the store once more, with what the request came with. */
  #reloadWith(token: string, session: RequestSession): void {
    const { reload } = session
    const value = (...given: unknown[]): unknown => this.#askWith(token, () => reload.apply(session, given))
    Object.defineProperty(session, 'reload', { configurable: true, writable: true, value })
  }

  #askWith<T>(token: string | undefined, ask: () => T): T {
    const outer = this.token
    this.token = token
    try {
      return ask()
    } finally {
      this.token = outer
    }
  }
}

/** A session object as @fastify/session makes it. */
export interface RequestSession {
  readonly sessionId: string
  readonly encryptedSessionId: string
  readonly cookie: object
  reload(...given: unknown[]): unknown
}

/** Outside of its cookie's path a request has `{}`, and after a logout `null`. */
export function isSession(session: unknown): session is RequestSession {
  return typeof session === 'object' && session !== null && 'sessionId' in session
}

/** What of a cookie counts as a change. When it expires does not, where that slides with each request. */
export function cookieSettings(session: object): string {
  const {
    expires,
    maxAge: _,
    originalExpires: __,
    ...settings
  } = plain((session as { cookie?: unknown }).cookie)
  return JSON.stringify(typeof settings['originalMaxAge'] === 'number' ? settings : { ...settings, expires })
}

/** A cookie as it is stored. */
export function plain(cookie: unknown): Record<string, unknown> {
  const { toJSON } = (cookie ?? {}) as { toJSON?: unknown }
  return { ...(typeof toJSON === 'function' ? toJSON.call(cookie) : cookie) }
}
