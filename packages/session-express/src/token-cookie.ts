import { tokenCookieName } from '@holdfast/core'
import type { Request, Response } from 'express'
import expressSession from 'express-session'
import { cookieValue } from './cookie-value.ts'
import type { HoldfastStore } from './store.ts'

/** What the token cookie has to know of the middleware's options. */
export interface TokenCookieOptions {
  readonly store: HoldfastStore
  /** The session cookie's name; the token's is this with `.ct`. */
  readonly name: string
  readonly cookie: expressSession.SessionOptions['cookie']
  readonly proxy: boolean | undefined
}

/** The part of a response that carries the continuity token beside the session cookie. */
export interface TokenCookie {
  /** Gives the token that came with a request. */
  read(req: Request): string | undefined
  /**
   * Sets, leaves or clears the token when the headers leave. Has to be called before express-session is, which waits for them
   * in the same way: who comes later is asked first, and this one has to see the cookie and the headers that the other set.
   */
  write(req: Request, res: Response, visit: Visit): void
}

/** A request's way through the middleware. */
export interface Visit {
  readonly token: string | undefined
  /** The id that the request's session cookie names, once the store was asked for it. */
  id: string | undefined
  /** Whether there was such a session then. */
  isFound: boolean
}

export function createTokenCookie({ store, name, cookie, proxy }: TokenCookieOptions): TokenCookie {
  const tokenName = tokenCookieName(name)
  const start = `${tokenName}=`

  function beforeHeaders(req: Request, res: Response, visit: Visit): void {
    // Another middleware may have its session in a cookie of this name, by another path.
    if ((req.sessionStore as unknown) !== store) return
    const { session, sessionID } = req as { session?: expressSession.Session; sessionID: string }
    if (session && typeof sessionID === 'string' && (sessionID === visit.id || isSet(res))) {
      renew(req, res, session)
      return
    }
    // Only the request that ended a session clears its cookies: another one may be late, and the visitor have new ones.
    if (visit.id === undefined || !visit.isFound || !store.sessions.isEnded(visit.id)) return
    clear(req, res, name)
    clear(req, res, tokenName)
  }

  function isSet(res: Response): boolean {
    return setCookies(res).some((line) => line.startsWith(`${name}=`))
  }

  function renew(req: Request, res: Response, session: expressSession.Session): void {
    if (session.cookie.secure && !isSecure(req, proxy)) return
    let attributes = ''
    const token = store.tokenFor(session, () => {
      session.touch()
      attributes = attributesOf(session.cookie)
      return start.length + attributes.length
    })
    if (token === '') clear(req, res, tokenName)
    // No letter of a token needs encoding, which takes longer for its length than all the rest.
    else if (token !== undefined) append(res, start + token + attributes)
  }

  /** The session cookie's own attributes; scripts never get to see it, whatever they say. */
  function attributesOf(sessionCookie: expressSession.Cookie): string {
    const attributes = serialised(sessionCookie, tokenName, '').slice(start.length)
    return /; HttpOnly/i.test(attributes) ? attributes : `${attributes}; HttpOnly`
  }

  function clear(req: Request, res: Response, cleared: string): void {
    const given = typeof cookie === 'function' ? cookie(req) : (cookie ?? {})
    const isEncrypted = isSecure(req, proxy)
    const gone = Object.assign(new expressSession.Cookie(), given, {
      secure: given.secure === 'auto' ? isEncrypted : given.secure,
      sameSite: (given.sameSite as unknown) === 'auto' ? (isEncrypted ? 'none' : 'lax') : given.sameSite,
      expires: new Date(0),
    })
    append(res, serialised(gone, cleared, ''))
  }

  return {
    read: (req) => cookieValue(req.headers.cookie ?? '', start),
    write(req, res, visit) {
      const writeHead = res.writeHead as (...given: unknown[]) => Response
      let isFirst = true
      res.writeHead = function (this: Response, ...given: unknown[]) {
        if (isFirst) beforeHeaders(req, res, visit)
        isFirst = false
        return writeHead.apply(this, given)
      }
    },
  }
}

/** `serialize` is a method of express-session's cookies that their types leave out. */
function serialised(cookie: expressSession.Cookie, name: string, value: string): string {
  return (cookie as unknown as { serialize(name: string, value: string): string }).serialize(name, value)
}

function setCookies(res: Response): string[] {
  const header = res.getHeader('Set-Cookie')
  return header === undefined ? [] : [header].flat().map(String)
}

function append(res: Response, line: string): void {
  res.setHeader('Set-Cookie', [...setCookies(res), line])
}

/** Whether a request came over TLS, by the rules of express-session's `proxy` option. */
function isSecure(req: Request, proxy: boolean | undefined): boolean {
  if ('encrypted' in req.socket && req.socket.encrypted) return true
  if (proxy === false) return false
  if (proxy !== true) return req.secure
  const forwarded = String(req.headers['x-forwarded-proto'] ?? '')
  return forwarded.split(',')[0]!.toLowerCase().trim() === 'https'
}
