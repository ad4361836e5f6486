import { fromJson, toJson } from '../envelope/json.ts'
import type { Milliseconds } from '../units.ts'
import { createJwe, type JweRefusal } from './jwe.ts'
import type { Secret } from './secrets.ts'
import { isSessionData, type SessionData } from './session-data.ts'

/** What a continuity token says. Times are in ms since the epoch. */
export interface TokenClaims {
  /** The revision of the session it was made of. */
  readonly revision: number
  readonly issuedAt: number
  readonly expiresAt: number
  /** When the session ends however often it is extended; 0: never. */
  readonly endsAt: number
  /** When the session began to be this user's; 0: unknown. */
  readonly begunAt: number
  /** The digest of the user it belongs to. */
  readonly user: string | undefined
  /** The revision of what Redis had of the session for sure, and the top-level keys that were changed since. */
  readonly base: number
  readonly changed: readonly string[]
  /** Whether the data is only the part that the application chose. */
  readonly isPartial: boolean
  readonly data: SessionData
}

/** Why a token counts as absent; holds nothing of it. */
export type TokenRefusal =
  | JweRefusal
  | 'not a session'
  | 'another application'
  | 'another session'
  | 'expired'
  | 'not yet valid'

export interface Tokens {
  /** Seals a token for the session with this digest. Throws for claims that have no JSON. */
  seal(session: string, claims: TokenClaims): string
  /** Gives the claims of a token for the session with this digest, or why it counts as absent. Never throws. */
  open(session: string, token: string): { readonly claims: TokenClaims } | { readonly refused: TokenRefusal }
}

export interface TokenOptions {
  readonly secrets: readonly Secret[]
  readonly audience: string
  readonly lifetime: Milliseconds
  readonly now: () => number
}

/** How far the clocks of two processes may be apart. */
export const clockSkew: Milliseconds = 60_000

/** Creates the continuity tokens of an application: encrypted JWTs whose dates are NumericDates, in seconds. */
export function createTokens({ secrets, audience, lifetime, now }: TokenOptions): Tokens {
  const jwe = createJwe(secrets)

  function refusalOf(claims: Record<string, unknown>, session: string): TokenRefusal | undefined {
    const { aud, sid, iat, exp, rev, bas, end, bgn, dat } = claims
    if (aud !== audience) return 'another application'
    if (sid !== session) return 'another session'
    if (
      ![iat, exp, rev, bas, end, bgn].every((time) => typeof time === 'number' && time >= 0) ||
      !isSessionData(dat)
    )
      return 'not a session'
    const issuedAt = (iat as number) * 1000
    if (issuedAt > now() + clockSkew) return 'not yet valid'
    // A lifetime that was shortened counts for the tokens of before, too.
    const until = Math.min((exp as number) * 1000, issuedAt + lifetime)
    return until <= now() || ((end as number) > 0 && (end as number) * 1000 <= now()) ? 'expired' : undefined
  }

  return {
    seal(session, { revision, issuedAt, expiresAt, endsAt, begunAt, user, base, changed, isPartial, data }) {
      return jwe.seal(
        toJson({
          aud: audience,
          sid: session,
          iat: issuedAt / 1000,
          exp: expiresAt / 1000,
          rev: revision,
          bas: base,
          chg: changed.length > 0 ? changed : undefined,
          end: endsAt / 1000,
          bgn: begunAt,
          usr: user,
          prt: isPartial || undefined,
          dat: data,
        }),
      )
    },
    open(session, token) {
      const opened = jwe.open(token)
      if ('refused' in opened) return opened
      const claims = parsed(opened.text)
      if (!claims) return { refused: 'not a session' }
      const refused = refusalOf(claims, session)
      if (refused) return { refused }
      const { iat, exp, rev, bas, chg, end, bgn, usr, prt, dat } = claims
      return {
        claims: {
          revision: rev as number,
          issuedAt: Math.round((iat as number) * 1000),
          expiresAt: Math.round(Math.min((exp as number) * 1000, (iat as number) * 1000 + lifetime)),
          endsAt: Math.round((end as number) * 1000),
          begunAt: bgn as number,
          user: typeof usr === 'string' ? usr : undefined,
          base: bas as number,
          changed: Array.isArray(chg) ? chg.filter((name) => typeof name === 'string') : [],
          isPartial: prt === true,
          data: dat as SessionData,
        },
      }
    },
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const claims = fromJson(text)
    return isSessionData(claims) ? claims : undefined
  } catch {
    return undefined
  }
}
