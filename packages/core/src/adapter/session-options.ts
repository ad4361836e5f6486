import { HoldfastError, optionError } from '../errors.ts'
import type { Holdfast } from '../holdfast.ts'
import { onlyOptions, type OptionNames } from '../known-options.ts'
import { holdfastOptionNames, sessionEngineOptionNames } from '../option-names.ts'
import type { HoldfastOptions, SessionOptions } from '../options.ts'
import type { SessionContinuity } from '../session/assemble.ts'
import type { ContinuityOptions } from '../session/continuity.ts'
import { isSecret, type Secret } from '../session/secrets.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Duration } from '../units.ts'
import { holdfastOf, type HeldHoldfast } from './held-holdfast.ts'

/** The options of the continuity token, for the sessions of a framework. */
export interface AdapterContinuityOptions<Session> extends Omit<ContinuityOptions, 'claims'> {
  /** What of a session the token carries, beside its cookie; default: all of it. Leave out what must not be stale. */
  readonly claims?: ((session: Session) => Readonly<Record<string, unknown>>) | undefined
}

/**
 * The options of a framework's session store: those of a Holdfast of its own, or one that it shares, and the sessions'.
 * `Session` is what the framework calls a session's data.
 */
export interface AdapterSessionOptions<Session>
  extends
    Omit<HoldfastOptions, 'prefix'>,
    Omit<SessionOptions, 'prefix' | 'ttl' | 'userId' | 'note' | 'continuity'> {
  /** A Holdfast to share; the application closes it. Left out: the store creates one of its own from its options. */
  readonly holdfast?: Holdfast
  /**
   * What session keys begin with, to the letter. Default `sess:`, as in connect-redis, whose sessions are then found;
   * with a shared `holdfast`: `<its prefix>:session:`.
   */
  readonly prefix?: string
  /**
   * The lifetime of a session whose cookie says none, or a function that comes before the cookie: it gives a duration,
   * `undefined` (no opinion) or 0 (already over). Default: 1 day.
   */
  readonly ttl?: Duration | ((session: Session) => Duration | undefined) | undefined
  /** Whose session it is; nothing for nobody's. Needed to list a user's sessions, and to end them all. */
  readonly userId?: ((session: Session) => string | number | null | undefined) | undefined
  /** What `sessions.list` tells of a session, such as its device. */
  readonly note?: ((session: Session) => unknown) | undefined
  /** The continuity token and its secrets; left out: none. */
  readonly continuity?: (AdapterContinuityOptions<Session> & Pick<SessionContinuity, 'secrets'>) | undefined
}

/** The options of every session store. */
export const sessionOptionNames: OptionNames<AdapterSessionOptions<unknown>> = {
  ...holdfastOptionNames,
  ...sessionEngineOptionNames,
  holdfast: true,
}

/** Gives a cookie's secrets as a list; throws an error that names `secret` where one is none that the framework takes. */
export function readSecrets(
  secret: unknown,
  expected: string,
  isTaken: (one: unknown) => boolean = isSecret,
): Secret[] {
  const isUsable = (one: unknown): one is Secret => isSecret(one) && isTaken(one)
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length > 0 && secrets.every(isUsable)) return [...secrets]
  const wrong = kindOf(secrets.find((one) => !isUsable(one)))
  const given = secrets === secret && secrets.length > 0 ? `an array with ${wrong}` : kindOf(secret)
  throw new HoldfastError('ERR_HOLDFAST_OPTION', `Option "secret" must be ${expected}; got ${given}.`)
}

/**
 * Completes what was asked of the continuity token by the secrets of the cookie, where it brings none; gives nothing where
 * it is turned off, or left to itself without secrets. Without a token, by a rule that has none too, nobody asks for the secrets.
 */
export function readContinuity(
  { continuity, rule }: { readonly continuity?: unknown; readonly rule?: unknown },
  secretsOf: () => readonly Secret[] | undefined,
): SessionContinuity | undefined {
  if (continuity === false) return undefined
  const isObject = typeof continuity === 'object' && continuity !== null && !Array.isArray(continuity)
  if (!isObject && continuity !== undefined && continuity !== true)
    throw optionError('continuity', 'an object, true, false or left out', continuity)
  const own: Partial<SessionContinuity> = isObject ? continuity : {}
  const hasToken = rule !== 'memory' && rule !== 'refuse'
  const secrets = own.secrets ?? (hasToken ? secretsOf() : undefined)
  return continuity === undefined && !secrets ? undefined : { ...own, secrets: secrets ?? [] }
}

/** Refuses at once what no cookie can carry, and would fail with each request. */
export function checkMaxAge(cookie: unknown): void {
  const { maxAge } = (cookie ?? {}) as { maxAge?: unknown }
  if (maxAge === undefined || maxAge === null || Number.isFinite(maxAge)) return
  throw optionError('cookie.maxAge', 'a number of milliseconds, null or left out', maxAge)
}

/** Says what was given, where that may hold a secret. */
function kindOf(given: unknown): string {
  if (given === undefined || given === null) return String(given)
  if (Array.isArray(given)) return given.length === 0 ? 'an empty array' : 'an array'
  if (typeof given === 'string') return given.trim() === '' ? 'an empty text' : 'a text'
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`
}

/**
 * Gives the store that an application brings. Throws where it is of another class, and for options of these names beside it: a
 * store that is given has its own, so they would not count.
 */
export function givenStore<Store>(
  kind: new (...args: never[]) => Store,
  { store, ...options }: { readonly store?: unknown },
  names: object,
): Store {
  if (!(store instanceof kind))
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      `Option "store" must be a HoldfastStore, or left out; got ${kindOf(store)}.`,
    )
  const beside = Object.entries(onlyOptions(options, names)).find(([, value]) => value !== undefined)
  if (!beside) return store
  throw new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    `Option "${beside[0]}" must be left out beside "store": give it to the HoldfastStore instead.`,
  )
}

/** A session engine, and how a store lets go of it. */
export interface HeldSessions extends HeldHoldfast {
  readonly sessions: Sessions
}

/** Opens the sessions of a store; throws an error that names the option which is wrong, and leaves nothing open then. */
export function openSessions<Session>({
  holdfast: shared,
  ...options
}: AdapterSessionOptions<Session>): HeldSessions {
  const { prefix = shared ? `${shared.prefix}:session:` : 'sess:', ...own } = options
  const held = holdfastOf(shared, own)
  try {
    // Core knows no framework: what it calls a session's data is what the framework has stored.
    const ofSessions = { ...onlyOptions(own, sessionEngineOptionNames), prefix } as SessionOptions
    return { ...held, sessions: held.holdfast.sessions(ofSessions) }
  } catch (error) {
    void held.close()
    throw error
  }
}
