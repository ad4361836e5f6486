import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { runsOn } from './degraded.ts'
import { stored, type HoldfastStore } from './store.ts'
import { isSession, plain, type RequestSession } from './visits.ts'

/** What the cookies of a context go by. */
export interface CookieContext {
  readonly instance: FastifyInstance
  readonly store: HoldfastStore
  readonly cookieName: string
  readonly cookiePrefix: string
  readonly tokenName: string
}

/**
 * Creates the hook that completes the cookies of a response. It runs after @fastify/session's own, which has saved the
 * session and set its cookie, and before the headers leave.
 */
export function createCookieHook(context: CookieContext): onSendHookHandler {
  return (request, reply, payload, done) => {
    const session: unknown = request.session
    if (session === null) clearEnded(context, request, reply)
    else if (isSession(session)) {
      if (context.store.sessions.isEnded(session.sessionId)) takeBack(context, request, reply, session)
      else complete(context, request, reply, session)
    }
    done(null, payload)
  }
}

/** Both cookies leave together; where the session could not be known, neither does. */
function complete(
  context: CookieContext,
  request: FastifyRequest,
  reply: FastifyReply,
  session: RequestSession,
): void {
  const { store, cookieName, cookiePrefix, tokenName } = context
  const held = store.visits.held(session)
  if (runsOn(held?.first) === 'empty') return withdraw(reply, cookieName)

  const attributes = plain(session.cookie) as CookieSerializeOptions
  const isTheirs = held?.first !== undefined
  const mayBeSent = attributes.secure !== true || request.protocol === 'https'
  let sent = sentIn(reply, cookieName)
  if (sent === 'cleared' && isTheirs && mayBeSent) {
    // @fastify/session clears an unchanged session's cookie that is signed by an older secret, unless it saves them all.
    withdraw(reply, cookieName)
    reply.setCookie(cookieName, cookiePrefix + session.encryptedSessionId, attributes)
    sent = 'set'
  }
  if (sent === 'set' || (isTheirs && mayBeSent)) setToken(context, reply, session, attributes)
  else if (sent === 'cleared' && request.cookies[tokenName] !== undefined)
    reply.clearCookie(tokenName, attributes)
}

function setToken(
  { instance, store, tokenName }: CookieContext,
  reply: FastifyReply,
  session: RequestSession,
  attributes: CookieSerializeOptions,
): void {
  const loaded = store.visits.held(session)?.loaded
  if (!loaded) return
  // No letter of a token needs encoding, which takes longer for its length than all the rest.
  const own = { ...attributes, httpOnly: true, encode: String }
  const overhead = (): number => instance.serializeCookie(tokenName, '', own as object).length
  const token = store.sessions.tokenFor(session.sessionId, stored(session), loaded, overhead)
  if (token === undefined) return
  withdraw(reply, tokenName)
  if (token === '') reply.clearCookie(tokenName, attributes)
  else reply.setCookie(tokenName, token, own)
}

/**
 * @fastify/session has set the cookie of a session that is over: its logout was not awaited, or came by another request. That
 * one must not lose the cookies which the visitor has got since.
 */
function takeBack(
  context: CookieContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { sessionId }: RequestSession,
): void {
  withdraw(reply, context.cookieName)
  if (context.store.visits.ending.has(sessionId)) clearEnded(context, request, reply)
}

/** A session that the application ended takes both its cookies along. */
function clearEnded(
  { store, cookieName, tokenName }: CookieContext,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const session = store.visits.last(request)
  if (!session || !store.sessions.isEnded(session.sessionId)) return
  const attributes = plain(session.cookie) as CookieSerializeOptions
  for (const name of [cookieName, tokenName]) {
    if (request.cookies[name] !== undefined) reply.clearCookie(name, attributes)
  }
}

function sentIn(reply: FastifyReply, name: string): 'set' | 'cleared' | undefined {
  const line = linesOf(reply).findLast((set) => set.startsWith(`${name}=`))
  if (line === undefined) return undefined
  return line.startsWith(`${name}=;`) ? 'cleared' : 'set'
}

/** Takes a cookie back that the response was going to set. */
function withdraw(reply: FastifyReply, name: string): void {
  const lines = linesOf(reply)
  const others = lines.filter((line) => !line.startsWith(`${name}=`))
  if (others.length === lines.length) return
  reply.removeHeader('set-cookie')
  if (others.length > 0) reply.header('set-cookie', others)
}

function linesOf(reply: FastifyReply): string[] {
  const lines = reply.getHeader('set-cookie') ?? []
  return Array.isArray(lines) ? lines : [String(lines)]
}
