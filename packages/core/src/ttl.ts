import { optionError } from './errors.ts'
import { century, parseDuration, type Duration, type Milliseconds } from './units.ts'

/** What a cookie says about its lifetime; the frameworks' session cookies have this form. */
export interface CookieLifetime {
  readonly maxAge?: unknown
  readonly originalMaxAge?: unknown
  readonly expires?: unknown
}

/** How long values live. Durations are whole milliseconds from 1 to 100 years. */
export interface TtlOptions<Value = unknown> {
  /**
   * The lifetime, or a function that gives it for a value. What the function gives comes before the cookie's expiry, a
   * duration after it. A function may give `undefined` (no opinion) or 0 (already over). Default: 1 day.
   */
  readonly ttl?: Duration | ((value: Value) => Duration | undefined) | undefined
  /** The shortest ttl given to a value that is not over. Default: 1 ms. */
  readonly min?: Duration | undefined
  /** The longest ttl. Default: 100 years. */
  readonly max?: Duration | undefined
  /** Shortens each ttl by a random share of up to this, 0 to 1, so that entries do not expire together. Default: 0. */
  readonly jitter?: number | undefined
  /** The longest that a value lives however often it is extended. Absent: no end. */
  readonly absolute?: Duration | undefined
  /** Gives a number from 0 up to, not including, 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Decides how long values live. */
export interface TtlPolicy<Value = unknown> {
  /**
   * Gives the ttl of a value in whole milliseconds. 0 means that it is already over: never "for ever", the caller ends
   * it. `endsAt` is the value's absolute end in milliseconds since the epoch; 0 or absent: none.
   */
  ttlFor(value: Value, at: TtlContext): Milliseconds
  /** Gives the absolute end of a value that is created now, in milliseconds since the epoch; 0: none. */
  endsAt(now: number): number
}

/** What a ttl depends on beside the value. */
export interface TtlContext {
  readonly now: number
  readonly cookie?: CookieLifetime | null | undefined
  readonly endsAt?: number | undefined
}

const day = 86_400_000
/** How long a value lives of which nothing else is said. */
export const defaultTtl: Milliseconds = day

/** Creates a ttl policy; throws an error that names the option that is not a positive duration or a share. */
export function createTtlPolicy<Value = unknown>(
  options: TtlOptions<Value> = {},
  defaults: { readonly ttl: Milliseconds } = { ttl: defaultTtl },
): TtlPolicy<Value> {
  const { ttl = defaults.ttl, jitter = 0, random = Math.random } = options
  const ttlOf = typeof ttl === 'function' ? ttl : undefined
  const fixed = lifetime('ttl', ttlOf ? defaults.ttl : ttl)
  const max = options.max === undefined ? century : lifetime('max', options.max)
  const min = options.min === undefined ? 1 : lifetime('min', options.min)
  const absolute = options.absolute === undefined ? 0 : lifetime('absolute', options.absolute)
  if (min > max) throw optionError('min', `at most "max" (${max} ms)`, options.min)
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw optionError('jitter', 'a share from 0 to 1', jitter)

  return {
    ttlFor(value, { now, cookie, endsAt = 0 }) {
      const asked = (ttlOf && given(ttlOf(value))) ?? (cookie ? cookieTtl(cookie, now) : undefined) ?? fixed
      if (asked <= 0) return 0
      const spread = jitter === 0 ? asked : asked * (1 - jitter * random())
      const clamped = Math.min(max, Math.max(min, Math.round(spread)))
      return endsAt > 0 ? Math.max(0, Math.min(clamped, Math.ceil(endsAt - now))) : clamped
    },
    endsAt: (now) => (absolute === 0 ? 0 : now + absolute),
  }
}

/** Reads a duration that says how long something lives: the error of one that is 0 or less tells what is asked for. */
function lifetime(option: string, value: unknown): Milliseconds {
  const ms = Math.round(parseDuration(option, value, { min: -Infinity }))
  if (ms >= 1 && ms <= century) return ms
  throw optionError(option, 'at least 1 ms and at most 100 years', value)
}

function given(result: unknown): Milliseconds | undefined {
  return result === undefined
    ? undefined
    : parseDuration('ttl (what the function gave)', result, { min: 0, max: century })
}

/**
 * Gives how long a cookie has still to live, in milliseconds; 0 or less when it is over. `expires` comes before `maxAge`
 * and that before `originalMaxAge`. `undefined` for a cookie that lives as long as the browser: one that has none of
 * them, or only such as are no date or number.
 */
export function cookieTtl(cookie: CookieLifetime, now: number): Milliseconds | undefined {
  const { expires, maxAge, originalMaxAge } = cookie
  const isDate = expires instanceof Date || typeof expires === 'string' || typeof expires === 'number'
  const end = isDate ? new Date(expires).getTime() : Number.NaN
  if (!Number.isNaN(end)) return end - now
  return [maxAge, originalMaxAge].find((age): age is number => Number.isFinite(age))
}

/**
 * Whether a sliding entry should be extended now: when at least a share of its ttl has passed (default 0.1; 0: always),
 * or what remains is that much longer than the ttl is now.
 */
export function touchDue(state: {
  readonly ttl: Milliseconds
  readonly remaining: Milliseconds
  readonly share?: number | undefined
}): boolean {
  const { ttl, remaining, share = 0.1 } = state
  return !(Math.abs(ttl - remaining) < share * ttl)
}
