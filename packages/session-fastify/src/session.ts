import cookie from '@fastify/cookie'
import fastifySession, { type FastifySessionOptions } from '@fastify/session'
import {
  checkMaxAge,
  givenStore,
  onlyOptions,
  readContinuity,
  refuseUnknownOptions,
  sessionOptionNames,
  tokenCookieName,
  type SessionContinuity,
} from '@holdfast/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { createCookieHook } from './cookies.ts'
import { secretsOf, type ContinuityOptions, type HoldfastStoreOptions } from './options.ts'
import { HoldfastStore } from './store.ts'

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
  readonly continuity?:
    | boolean
    | (ContinuityOptions & Partial<Pick<SessionContinuity, 'secrets'>>)
    | undefined
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
  refuseUnknownOptions(options, namesOfAll)
  const theirs = onlyOptions(options, theirNames) as TheirOptions
  const secrets = secretsOf(options.secret)
  checkMaxAge(options.cookie)
  const { cookieName = 'sessionId', cookiePrefix = '' } = theirs
  const tokenName = tokenCookieName(cookieName)
  const store =
    options.store === undefined
      ? createStore(options, secrets)
      : givenStore(HoldfastStore, options, namesBesideStore)
  if (store !== options.store) instance.addHook('onClose', () => store.close())

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

/** Fastify's own, with which any plugin may be registered; its `prefix` is among ours by name. */
const namesOfFastify = { logLevel: true, logSerializers: true }

const namesOfAll = { ...namesOfFastify, ...theirNames, ...sessionOptionNames, store: true, continuity: true }

/** Fastify's own `prefix`, that of routes, comes by the same name. */
const { prefix: _, ...namesBesideStore } = sessionOptionNames

function createStore(options: SessionOptions, secrets: ReturnType<typeof secretsOf>): HoldfastStore {
  const own: HoldfastStoreOptions = onlyOptions(options, sessionOptionNames)
  const continuity = readContinuity(options, () => secrets)
  return new HoldfastStore({ ...own, continuity })
}
