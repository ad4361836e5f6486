import {
  HoldfastError,
  optionError,
  type ContinuityOptions as CoreContinuityOptions,
  type Duration,
  type Holdfast,
  type HoldfastOptions,
  type SessionContinuity,
  type SessionOptions as CoreSessionOptions,
} from '@holdfast/core'
import type { Session } from 'fastify'

/**
 * A session as the options' functions get it: as the application declares it in Fastify's `Session`. A date may be a
 * text, in the cookie too, as in JSON.
 */
export type SessionContent = Readonly<Session>

/** The options of the continuity token. */
export interface ContinuityOptions extends Omit<CoreContinuityOptions, 'claims'> {
  /** What of a session the token carries, beside its cookie; default: all of it. Leave out what must not be stale. */
  readonly claims?: ((session: SessionContent) => Readonly<Record<string, unknown>>) | undefined
}

/** The options of {@link HoldfastStore}: those of a Holdfast of its own, or one that it shares, and the sessions'. */
export interface HoldfastStoreOptions
  extends
    Omit<HoldfastOptions, 'prefix'>,
    Omit<CoreSessionOptions, 'prefix' | 'ttl' | 'userId' | 'note' | 'continuity'> {
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
  readonly ttl?: Duration | ((session: SessionContent) => Duration | undefined) | undefined
  /** Whose session it is; nothing for nobody's. Needed to list a user's sessions, and to end them all. */
  readonly userId?: ((session: SessionContent) => string | number | null | undefined) | undefined
  /** What `sessions.list` tells of a session, such as its device. */
  readonly note?: ((session: SessionContent) => unknown) | undefined
  /** The continuity token and its secrets; left out: none. */
  readonly continuity?: (ContinuityOptions & Pick<SessionContinuity, 'secrets'>) | undefined
}

const optionNames: Record<keyof HoldfastStoreOptions, true> = {
  redis: true,
  backend: true,
  env: true,
  holdfast: true,
  prefix: true,
  operationTimeout: true,
  requireAtStart: true,
  circuit: true,
  fallback: true,
  journal: true,
  logger: true,
  clock: true,
  ttl: true,
  min: true,
  max: true,
  jitter: true,
  absolute: true,
  random: true,
  rule: true,
  touchAfter: true,
  continuity: true,
  userId: true,
  note: true,
  format: true,
  compression: true,
  encryption: true,
  limits: true,
}

/** Whether a name is that of an option of {@link HoldfastStore}. */
export function isStoreOption(name: string): boolean {
  return Object.hasOwn(optionNames, name)
}

/** Refuses an option that the store does not have: a misspelt one, or one of another store. Shows no value. */
export function checkNames(options: HoldfastStoreOptions): void {
  const unknown = Object.keys(options).find((name) => !isStoreOption(name))
  if (unknown === undefined) return
  throw new HoldfastError('ERR_HOLDFAST_OPTION', `HoldfastStore has no option "${unknown}".`)
}

/**
 * Gives the secrets that the token's keys are derived from, or nothing for a signer, which shows none. Throws an error
 * that names `secret` where there is none, or one that is empty; how long it has to be, @fastify/session says.
 */
export function readSecrets(secret: unknown): SessionContinuity['secrets'] | undefined {
  if (isSigner(secret)) return undefined
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length > 0 && secrets.every(isSecret)) return [...secrets]
  const wrong = kindOf(secrets.find((one) => !isSecret(one)))
  const given = secrets === secret && secrets.length > 0 ? `an array with ${wrong}` : kindOf(secret)
  throw new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    `Option "secret" must be a text that is not empty, an array of them, or a signer; got ${given}.`,
  )
}

function isSigner(secret: unknown): boolean {
  const { sign, unsign } = (secret ?? {}) as { sign?: unknown; unsign?: unknown }
  return typeof sign === 'function' && typeof unsign === 'function'
}

function isSecret(secret: unknown): secret is string | Uint8Array {
  return secret instanceof Uint8Array ? secret.length > 0 : typeof secret === 'string' && secret.trim() !== ''
}

/** Completes what was asked of the continuity token by the secrets; gives nothing where it is turned off, or has none. */
export function readContinuity(
  continuity: unknown,
  secrets: SessionContinuity['secrets'] | undefined,
): SessionContinuity | undefined {
  if (continuity === false) return undefined
  if (continuity === undefined) return secrets && { secrets }
  if (continuity === true) return { secrets: secrets ?? [] }
  if (typeof continuity !== 'object' || continuity === null || Array.isArray(continuity))
    throw optionError('continuity', 'an object, true, false or left out', continuity)
  const own = continuity as Partial<SessionContinuity>
  return { ...own, secrets: own.secrets ?? secrets ?? [] }
}

/** Refuses what would make a date that no cookie can carry. */
export function checkMaxAge(cookie: unknown): void {
  const { maxAge } = (cookie ?? {}) as { maxAge?: unknown }
  if (maxAge === undefined || maxAge === null || Number.isFinite(maxAge)) return
  throw optionError('cookie.maxAge', 'a number of milliseconds, null or left out', maxAge)
}

/** Says what was given, where that may hold a secret. */
export function kindOf(given: unknown): string {
  if (given === undefined || given === null) return String(given)
  if (Array.isArray(given)) return given.length === 0 ? 'an empty array' : 'an array'
  if (typeof given === 'string') return given.trim() === '' ? 'an empty text' : 'a text'
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`
}
