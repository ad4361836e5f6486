import {
  HoldfastError,
  type ContinuityOptions,
  type Degraded,
  type Holdfast,
  type Sessions,
} from '@holdfast/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import expressSession from 'express-session'
import { HoldfastStore, type HoldfastStoreOptions } from './store.ts'
import { createTokenCookie } from './token-cookie.ts'

/**
 * express-session's options, unchanged, and Holdfast's beside them. `resave` and `saveUninitialized` are `false` by
 * default, which express-session asks to be set and recommends.
 */
export interface SessionOptions
  extends expressSession.SessionOptions, Omit<HoldfastStoreOptions, 'continuity'> {
  /**
   * The continuity token, in a second cookie, which makes sessions outlive Redis. Its keys are derived from `secret`.
   * Default: on; `false`: off, as under the rules `memory` and `refuse`.
   */
  readonly continuity?: false | ContinuityOptions | undefined
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
 * Redis is away. Throws `ERR_HOLDFAST_OPTION` for an option that cannot be right, at once and not at the first request.
 */
export function session(options: SessionOptions): HoldfastSession {
  const { store = createStore(options), resave = false, saveUninitialized = false } = options
  if (!(store instanceof HoldfastStore)) {
    throw new HoldfastError('ERR_HOLDFAST_OPTION', 'Option "store" must be a HoldfastStore, or left out.')
  }
  const inner = expressSession({ ...options, store, resave, saveUninitialized })
  const { cookie, proxy } = options
  // `key` is what old applications call it; express-session still takes it.
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

function createStore(options: SessionOptions): HoldfastStore {
  const secrets = checkedSecrets(options?.secret)
  const { rule = 'token', continuity, ...own } = options
  if (rule !== 'token' || continuity === false) {
    if (rule === 'token' && options.rule === 'token')
      throw new HoldfastError(
        'ERR_HOLDFAST_OPTION',
        'Option "continuity" must not be false under the rule "token".',
      )
    return new HoldfastStore({ ...own, rule: rule === 'token' ? 'memory' : rule })
  }
  return new HoldfastStore({ ...own, rule, continuity: { ...continuity, secrets } })
}

function checkedSecrets(
  secret: expressSession.SessionOptions['secret'] | undefined,
): (string | Uint8Array)[] {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  const isUsable = (one: unknown): one is string | Uint8Array =>
    one instanceof Uint8Array ? one.length > 0 : typeof one === 'string' && one.trim() !== ''
  if (secrets.length > 0 && secrets.every(isUsable)) return secrets
  throw new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    'Option "secret" must be a non-empty string, or an array of them.',
  )
}
