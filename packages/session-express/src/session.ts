import { HoldfastError, type Holdfast } from '@holdfast/core'
import type { RequestHandler } from 'express'
import expressSession from 'express-session'
import { HoldfastStore, type HoldfastStoreOptions } from './store.ts'

/**
 * express-session's options, unchanged, and Holdfast's beside them. `resave` and `saveUninitialized` are `false` by
 * default, which express-session asks to be set and recommends.
 */
export type SessionOptions = expressSession.SessionOptions & HoldfastStoreOptions

/** The middleware, with what an application may want to reach. */
export interface HoldfastSession extends RequestHandler {
  readonly store: HoldfastStore
  /** State, events and health. */
  readonly holdfast: Holdfast
  /** Lets go of Redis, so that the process can exit. */
  close(): Promise<void>
}

/**
 * Creates the session middleware: express-session on Redis, which goes on from memory while Redis is away.
 * Throws `ERR_HOLDFAST_OPTION` for an option that cannot be right, at once and not at the first request.
 */
export function session(options: SessionOptions): HoldfastSession {
  const {
    secret,
    store = new HoldfastStore(checked(options)),
    resave = false,
    saveUninitialized = false,
  } = options
  if (!(store instanceof HoldfastStore)) {
    throw new HoldfastError('ERR_HOLDFAST_OPTION', 'Option "store" must be a HoldfastStore, or left out.')
  }
  const middleware = expressSession({ ...options, secret, store, resave, saveUninitialized })
  return Object.assign(middleware, { store, holdfast: store.holdfast, close: () => store.close() })
}

function checked(options: SessionOptions): SessionOptions {
  const secrets = Array.isArray(options?.secret) ? options.secret : [options?.secret]
  const isUsable =
    secrets.length > 0 && secrets.every((secret) => secret instanceof Uint8Array || isText(secret))
  if (isUsable) return options
  throw new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    'Option "secret" must be a non-empty string, or an array of them.',
  )
}

function isText(secret: unknown): boolean {
  return typeof secret === 'string' && secret.trim() !== ''
}
