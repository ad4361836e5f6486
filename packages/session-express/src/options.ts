import {
  sessionOptionNames as engineOptionNames,
  type AdapterContinuityOptions,
  type AdapterSessionOptions,
  type OptionNames,
} from '@holdfast/core'
import type { SessionData, SessionOptions as TheirOptions } from 'express-session'

/**
 * A session as the options' functions get it: what the application declares in express-session's `SessionData`, as far
 * as it is there. A date may be a text, in the cookie too, as in JSON.
 */
export type SessionContent = Readonly<Partial<SessionData>>

/** The options of the continuity token. */
export interface ContinuityOptions extends AdapterContinuityOptions<SessionContent> {}

/** The options of {@link HoldfastStore}: those of a Holdfast of its own, or one that it shares, and the sessions'. */
export interface HoldfastStoreOptions extends AdapterSessionOptions<SessionContent> {
  /** Leaves a session's ttl alone on requests that do not change it; default `false`. */
  readonly disableTouch?: boolean
}

/** The options of {@link HoldfastStore}, by name. */
export const storeOptionNames: OptionNames<HoldfastStoreOptions> = {
  ...engineOptionNames,
  disableTouch: 'boolean',
}

const theirOptionNames: Record<keyof TheirOptions | 'key', true> = {
  secret: true,
  name: true,
  // What old applications call the name; express-session still takes it.
  key: true,
  store: true,
  cookie: true,
  genid: true,
  rolling: true,
  resave: true,
  proxy: true,
  saveUninitialized: true,
  unset: true,
}

/** The options of the middleware, by name: express-session's and the store's. */
export const sessionOptionNames: object = { ...theirOptionNames, ...storeOptionNames, continuity: true }
