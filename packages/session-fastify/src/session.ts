import cookie from '@fastify/cookie'
import fastifySession, { type FastifySessionOptions } from '@fastify/session'
import {
  HoldfastError,
  tokenCookieName,
  type ContinuityOptions,
  type SessionContinuity,
} from '@holdfast/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { createCookieHook } from './cookies.ts'
import { HoldfastStore, type HoldfastStoreOptions } from './store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The sessions of this context: its engine, state, events and health. */
    readonly sessionStore: HoldfastStore
  }
}

/** @fastify/session's options, unchanged, and Holdfast's beside them. */
export interface SessionOptions
  extends Omit<FastifySessionOptions, 'store'>, Omit<HoldfastStoreOptions, 'continuity'> {
  /** A store to share between contexts; the application closes it. Left out: the plugin creates one of its own. */
  readonly store?: HoldfastStore
  /**
   * The continuity token, in a second cookie, which makes sessions outlive Redis. Its keys are derived from `secret`; beside
   * a signer of the application's own, which has none to derive from, it needs `secrets`. Default: on where there are
   * secrets; `false`: off, as under the rules `memory` and `refuse`.
   */
  readonly continuity?: false | (ContinuityOptions & Partial<SessionContinuity>) | undefined
}

/**
 * The plugin: @fastify/session on Redis, whose sessions go on from the continuity token and from memory while Redis is
 * away. It belongs to the context that registers it and those within, decorates them with `sessionStore`, brings
 * `@fastify/cookie` where there is none yet, and lets go of Redis when the application closes. Rejects with
 * `ERR_HOLDFAST_OPTION` for an option that cannot be right.
 */
export const session: FastifyPluginAsync<SessionOptions> = fp(register, {
  name: '@holdfast/session-fastify',
  fastify: '5.x',
})

async function register(instance: FastifyInstance, options: SessionOptions): Promise<void> {
  const { theirs, ours } = divided(options)
  const { cookieName = 'sessionId', cookiePrefix = '' } = theirs
  const tokenName = tokenCookieName(cookieName)
  const store = ours.store ?? createStore(ours, theirs.secret)
  if (!(store instanceof HoldfastStore))
    throw new HoldfastError('ERR_HOLDFAST_OPTION', 'Option "store" must be a HoldfastStore, or left out.')
  if (!ours.store) instance.addHook('onClose', () => store.close())

  if (!instance.hasPlugin('@fastify/cookie')) await instance.register(cookie)
  instance.addHook('onReady', () => store.holdfast.ready())
  instance.addHook('onRequest', (request, _reply, done) => {
    store.visits.begin(request, request.cookies[tokenName], done)
  })
  await instance.register(fastifySession, { ...theirs, store })
  instance.addHook('onSend', createCookieHook({ instance, store, cookieName, cookiePrefix, tokenName }))
  instance.decorate('sessionStore', store)
}

type TheirOptions = Omit<FastifySessionOptions, 'store'>
type OwnOptions = Omit<SessionOptions, keyof TheirOptions>

const theirNames: Record<keyof TheirOptions, true> = {
  secret: true,
  algorithm: true,
  cookieName: true,
  cookiePrefix: true,
  cookie: true,
  saveUninitialized: true,
  rolling: true,
  idGenerator: true,
}

function divided(options: SessionOptions): { theirs: TheirOptions; ours: OwnOptions } {
  const pick = (isWanted: (name: string) => boolean): object =>
    Object.fromEntries(Object.entries(options).filter(([name]) => isWanted(name)))
  return {
    theirs: pick((name) => Object.hasOwn(theirNames, name)) as TheirOptions,
    ours: pick((name) => !Object.hasOwn(theirNames, name)) as OwnOptions,
  }
}

function createStore({ continuity, ...own }: OwnOptions, secret: TheirOptions['secret']): HoldfastStore {
  if (continuity === false) return new HoldfastStore(own)
  const secrets = continuity?.secrets ?? secretsOf(secret)
  if (!secrets && !continuity) return new HoldfastStore(own)
  return new HoldfastStore({ ...own, continuity: { ...continuity, secrets: secrets ?? [] } })
}

function secretsOf(secret: TheirOptions['secret']): string[] | undefined {
  if (typeof secret === 'string') return [secret]
  return Array.isArray(secret) ? [...secret] : undefined
}
