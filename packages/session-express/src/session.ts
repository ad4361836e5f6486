import {
  checkMaxAge,
  givenStore,
  HoldfastError,
  onlyOptions,
  readContinuity,
  readSecrets,
  refuseUnknownOptions,
  type Degraded,
  type Holdfast,
  type Sessions,
} from '@holdfast/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession from 'express-session'
import {
  sessionOptionNames,
  storeOptionNames,
  type ContinuityOptions,
  type HoldfastStoreOptions,
} from './options.ts'
import { HoldfastStore } from './store.ts'
import { createTokenCookie } from './token-cookie.ts'

/**
 * express-session's options, unchanged, and Holdfast's beside them. `resave` and `saveUninitialized` are `false` by
 * default, which express-session asks to be set and recommends.
 */
export interface SessionOptions
  extends expressSession.SessionOptions, Omit<HoldfastStoreOptions, 'continuity'> {
  /**
   * The continuity token, in a second cookie, which makes sessions outlive Redis. Its keys are derived from `secret`, so it
   * has to be given here, not by cookie-parser. Default: on; `false`: off, as under the rules `memory` and `refuse`.
   */
  readonly continuity?: boolean | ContinuityOptions | undefined
}

/** The middleware, with what an application may want to reach. */
export interface HoldfastSession extends RequestHandler {
  readonly store: HoldfastStore
  /** A user's sessions: to list them and to end one or all. */
  readonly sessions: Sessions
  /** State, events and health. */
  readonly holdfast: Holdfast
  /** Lets go of Redis, so that the process can exit. */
  close(): Promise<void>
}

/**
 * Creates the session middleware: express-session on Redis, which goes on from the continuity token and from memory while
 * Redis is away. For an option that cannot be right it throws at once, not at the first request, and leaves nothing open:
 * `ERR_HOLDFAST_OPTION`, or the `TypeError` of express-session for what that refuses itself.
 */
export function session(options: SessionOptions): HoldfastSession {
  refuseUnknownOptions(options ?? {}, sessionOptionNames)
  checkMaxAge(options?.cookie)
  if (options?.store !== undefined)
    return createMiddleware(options, givenStore(HoldfastStore, options, storeOptionNames))
  const store = createStore({ ...options })
  try {
    return createMiddleware(options, store)
  } catch (error) {
    void store.close()
    throw error
  }
}

function createMiddleware(options: SessionOptions, store: HoldfastStore): HoldfastSession {
  const { resave = false, saveUninitialized = false, cookie, proxy } = options
  const inner = expressSession({ ...options, store, resave, saveUninitialized })
  const name = options.name || (options as { key?: string }).key || 'connect.sid'
  const tokenCookie = createTokenCookie({ store, name, cookie, proxy })

  const withToken = (req: Request, res: Response, next: NextFunction): void => {
    if (req.session) return next()
    const visit = { token: tokenCookie.read(req), id: undefined, isFound: false }
    tokenCookie.write(req, res, visit)
    store.during(visit, () => void inner(req, res, next))
  }

  const middleware = store.sessions.rule === 'token' ? withToken : inner
  return Object.assign(middleware, {
    store,
    sessions: store.sessions,
    holdfast: store.holdfast,
    close: () => store.close(),
  })
}

/**
 * What the session of a request runs on: `false` where Redis stands behind it; while Redis is away `memory` (this process has
 * seen it), `token` (only its continuity token says so) or `empty` (nothing here knows it: an empty session under the
 * visitor's own id). For what must not run on a token alone: `if (degraded(req)) return res.sendStatus(503)`.
 * Throws `ERR_HOLDFAST_OPTION` for a request without these sessions, rather than to say that all is well.
 */
export function degraded(req: Request): Degraded {
  const { session: current, sessionStore } = req as Partial<Request>
  if (sessionStore instanceof HoldfastStore) return sessionStore.degradedOf(current ?? {})
  throw new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    'This request has no session of Holdfast: use the middleware before it.',
  )
}

const secretsOfTheToken =
  'a text that is not empty, bytes, a secret KeyObject, or an array of them, as the keys of the continuity token are ' +
  'derived from it ("continuity: false" does without)'

function createStore(options: SessionOptions): HoldfastStore {
  if (typeof options.continuity === 'object' && 'secrets' in (options.continuity ?? {}))
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      'Option "continuity.secrets" must be left out: the keys of the token are derived from "secret".',
    )
  const own: HoldfastStoreOptions = onlyOptions(options, storeOptionNames)
  const continuity = readContinuity(options, () => readSecrets(options.secret, secretsOfTheToken))
  return new HoldfastStore({ ...own, continuity })
}
