import type { Events } from '../events.ts'
import { fromJson, toJson } from '../envelope/json.ts'
import { optionError } from '../errors.ts'
import { createLru } from '../lru.ts'
import { parseDuration, type Duration, type Milliseconds } from '../units.ts'
import type { Endings } from './endings.ts'
import type { Secret } from './secrets.ts'
import type { SessionData } from './session-data.ts'
import { createTokens, type TokenClaims } from './token.ts'

/** The options of the continuity token: what makes a session outlive Redis. */
export interface ContinuityOptions {
  /** How long a token is good for; default 30 minutes, 1 second to 24 hours, and never beyond the session's own end. */
  readonly lifetime?: Duration | undefined
  /** What of a session the token carries, beside its cookie; default: all of it. Leave out what must not be stale. */
  readonly claims?: ((session: SessionData) => Readonly<Record<string, unknown>>) | undefined
  /** Which application a token is for; default: the prefix of the sessions' keys. */
  readonly audience?: string | undefined
  /**
   * Token first: a session whose token is younger than this, and which nobody ended, is served without asking Redis.
   * Default: off. Endings still count at once. Not with `claims`.
   */
  readonly trustFor?: Duration | undefined
  /**
   * Whether tokens are trusted where Redis has lost its data and no process is left that knew of the endings before.
   * Default `false`: then those sessions are over.
   */
  readonly restoreUnwitnessed?: boolean | undefined
}

/** What a token says, but for the session's data. */
export type Claims = Omit<TokenClaims, 'data'>

/** A token that came with a request, and proved to be good. */
export interface Sent {
  /** The token itself. */
  readonly text: string
  readonly claims: Claims
  /** Young enough to be served without asking Redis. */
  readonly isTrusted: boolean
  /** The session; a copy of one's own each time. */
  readonly data: SessionData
}

interface Opened {
  readonly text: string
  readonly claims: Claims
  /** The session's data as JSON: whoever gets it may change it, so each gets their own. */
  readonly content: string
}

/** What a token is made of. */
export interface Sealing {
  readonly session: string
  readonly data: SessionData
  readonly revision: number
  readonly base: number
  readonly changed: readonly string[]
  readonly endsAt: number
  readonly begunAt: number
  readonly user: string | undefined
  /** How long the session lives from now, unless it is extended. */
  readonly lifetime: Milliseconds
  /** Not after this, in ms since the epoch: a token is not prolonged while Redis cannot confirm the session. */
  readonly notAfter: number
  /** Gives how many bytes its cookie takes without it; asked only when a token is made. */
  readonly overhead: () => number
}

/** Opens and seals the tokens of one application, and decides when one is due. */
export interface ContinuityTokens {
  /** Gives what a token says, if it counts; a token that does not is as good as none. */
  open(session: string, token: string): Sent | undefined
  /** Whether an unchanged session needs another token than the one that was sent. */
  isDue(claims: Claims): boolean
  /** Whether a session of which Redis has nothing may be brought back by this token. */
  mayRestore(claims: Claims): Promise<boolean>
  /** Gives a token, or `undefined` for one that cannot be had: too long for a cookie, or its claims have no JSON. */
  seal(sealing: Sealing): string | undefined
}

/** Gives the name of the token's cookie, beside the session cookie's. It keeps a `__Host-` or `__Secure-` in front. */
export function tokenCookieName(sessionCookie: string): string {
  return `${sessionCookie}.ct`
}

/** The longest `Set-Cookie` value, name and attributes included: browsers end at 4,096 bytes, and drop what is longer. */
const cookieBudget = 3_800
const rememberedTokens = 10_000
const defaultLifetime: Milliseconds = 1_800_000
const day: Milliseconds = 86_400_000

export function createContinuity(options: {
  readonly given: ContinuityOptions
  readonly secrets: readonly Secret[]
  readonly prefix: string
  readonly endings: Endings
  readonly events: Events
  readonly now: () => number
  /** Told once, when a token was left out because it is too long. */
  readonly warn: (message: string) => void
}): ContinuityTokens & { readonly lifetime: Milliseconds } {
  const { given, endings, events, now } = options
  const { claims, audience = options.prefix, restoreUnwitnessed = false } = given
  const lifetime = parseDuration('continuity.lifetime', given.lifetime ?? defaultLifetime, {
    min: 1_000,
    max: day,
  })
  const trustFor = parseDuration('continuity.trustFor', given.trustFor ?? 0, { max: lifetime })
  if (claims !== undefined && typeof claims !== 'function')
    throw optionError('continuity.claims', 'a function', claims)
  if (trustFor > 0 && claims)
    throw optionError(
      'continuity.trustFor',
      'absent where "continuity.claims" leaves part of a session out',
      trustFor,
    )
  if (typeof audience !== 'string' || audience === '')
    throw optionError('continuity.audience', 'a text that is not empty', audience)
  const tokens = createTokens({ secrets: options.secrets, audience, lifetime, now })
  /**
   * What was opened lately. A browser sends the same token with every request: then it is enough to know it again, letter
   * by letter.
   */
  const opened = createLru<Opened>(rememberedTokens)
  let hasWarned = false

  function refuse(reason: string): undefined {
    events.emit('session', { outcome: 'refused', reason })
  }

  function omit(reason: string): undefined {
    events.emit('session', { outcome: 'omitted', reason })
    if (hasWarned) return
    hasWarned = true
    options.warn(
      `holdfast: a session's continuity token was left out (${reason}); such sessions do not outlive an outage. ` +
        'Choose less by "continuity.claims".',
    )
  }

  function isWitnessed(sent: Claims): boolean {
    return restoreUnwitnessed || sent.issuedAt >= endings.since()
  }

  function checked(session: string, { text, claims, content }: Opened): Sent | undefined {
    const { issuedAt, expiresAt, endsAt, user } = claims
    const time = now()
    if (expiresAt <= time || (endsAt > 0 && endsAt <= time)) return refuse('expired')
    if (user && endings.isUserEnded(user, session, claims.begunAt)) return refuse('ended')
    const isTrusted = time - issuedAt < trustFor && !claims.isPartial && isWitnessed(claims)
    return new GoodToken(text, claims, isTrusted, content)
  }

  return {
    lifetime,
    open(session, token) {
      const known = opened.get(session)
      if (known?.text === token) return checked(session, known)
      const result = tokens.open(session, token)
      if ('refused' in result) return refuse(result.refused)
      const { data, ...claims } = result.claims
      const fresh = { text: unsliced(token), claims, content: toJson(data) }
      opened.set(session, fresh)
      return checked(session, fresh)
    },
    isDue({ issuedAt, expiresAt }) {
      const quarter = (expiresAt - issuedAt) / 4
      return now() - issuedAt > (trustFor > 0 ? Math.min(quarter, trustFor) : quarter)
    },
    async mayRestore(sent) {
      if (restoreUnwitnessed || (await endings.isComplete(sent.issuedAt))) return true
      refuse('issued before a loss of data that nobody witnessed')
      return false
    },
    seal({ session, data, overhead, notAfter, lifetime: sessionLifetime, ...meta }) {
      const issuedAt = now()
      const expiresAt = Math.min(issuedAt + Math.min(lifetime, sessionLifetime), notAfter)
      if (expiresAt <= issuedAt) return undefined
      let length: number
      try {
        length = overhead()
      } catch {
        return omit('its cookie cannot be written')
      }
      let token: string
      try {
        const chosen = claims ? ({ ...claims(data), cookie: data.cookie } as SessionData) : data
        token = tokens.seal(session, {
          ...meta,
          issuedAt,
          expiresAt,
          isPartial: claims !== undefined,
          data: chosen,
        })
      } catch {
        return omit('its claims cannot be written as JSON')
      }
      return token.length + length > cookieBudget ? omit('too long for a cookie') : token
    },
  }
}

/** A class, as making an object with a getter of its own takes longer than all else that is done for a known token. */
class GoodToken implements Sent {
  readonly text: string
  readonly claims: Claims
  readonly isTrusted: boolean
  readonly #content: string

  constructor(text: string, claims: Claims, isTrusted: boolean, content: string) {
    this.text = text
    this.claims = claims
    this.isTrusted = isTrusted
    this.#content = content
  }

  get data(): SessionData {
    return fromJson(this.#content) as SessionData
  }
}

/** A copy of its own: a slice would keep the whole header in memory. */
function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
