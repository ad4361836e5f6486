import {
  HoldfastError,
  isSessionOption,
  type AdapterContinuityOptions,
  type AdapterSessionOptions,
} from '@holdfast/core'
import type { SessionData } from 'express-session'

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

/** Whether a name is that of an option of {@link HoldfastStore}. */
export function isStoreOption(name: string): boolean {
  return name === 'disableTouch' || isSessionOption(name)
}

/** Refuses an option that the store does not have: a misspelt one, or one of another store. Shows no value. */
export function checkNames(options: HoldfastStoreOptions): void {
  const unknown = Object.keys(options).find((name) => !isStoreOption(name))
  if (unknown === undefined) return
  throw new HoldfastError('ERR_HOLDFAST_OPTION', `HoldfastStore has no option "${unknown}".`)
}
