import { digestOf } from './digest.ts'
import { fromJson, toJson } from '../envelope/json.ts'
import { optionError } from '../errors.ts'
import type { TtlPolicy } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'

/** A session's data, as the frameworks keep it: an object with the cookie beside the application's own keys. */
export interface SessionData {
  readonly cookie?: SessionCookie
  readonly [key: string]: unknown
}

/** What a session's cookie says about its lifetime; both frameworks store it in this form. */
export interface SessionCookie {
  readonly originalMaxAge?: number | null | undefined
  readonly maxAge?: number | null | undefined
  readonly expires?: Date | string | number | boolean | null | undefined
}

/** Whether something that was read can be a session. */
export function isSessionData(value: unknown): value is SessionData {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/**
 * The application's own keys as JSON: two sessions with the same text are the same. The cookie belongs to the framework
 * and never counts as a change.
 */
export function contentOf(data: SessionData): string {
  const { cookie: _, ...content } = data
  return toJson(content)
}

/** Reads what {@link contentOf} gave. */
export function dataOf(content: string): SessionData {
  return fromJson(content) as SessionData
}

/**
 * How long a copy of a session that was just read is good for. A stored `expires` is as old as the last write, however
 * often the session was extended since; so where there is a `maxAge`, that counts, from now.
 */
export function copyLifetime(data: unknown, ttl: TtlPolicy, now: number): Milliseconds {
  const cookie = isSessionData(data) ? data.cookie : undefined
  const maxAge = cookie?.originalMaxAge
  const lifetime = ttl.ttlFor(data, {
    now,
    cookie: typeof maxAge === 'number' ? { maxAge } : cookie,
    endsAt: 0,
  })
  return Math.max(1, lifetime)
}

/** Says whose a session is; nothing for nobody's. */
export type UserIdOf = (session: SessionData) => string | number | null | undefined

/** The digest under which a session's user is known outside of the session; `undefined` for nobody. */
export function userDigest(data: SessionData, userId: UserIdOf | undefined): string | undefined {
  const user = userId?.(data)
  if (user === undefined || user === null || user === '') return undefined
  return digestOfUser(user, 'userId', 'a function that gives a text, a number or nothing')
}

/** Gives a user's digest. Throws for what does not tell users apart: as text all objects and promises are the same. */
export function digestOfUser(user: string | number, option: string, expected: string): string {
  if (typeof user === 'string' || Number.isFinite(user)) return digestOf(`user ${user}`)
  throw optionError(option, expected, user)
}
