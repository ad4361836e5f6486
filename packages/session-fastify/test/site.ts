import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyServerOptions } from 'fastify'
import fp from 'fastify-plugin'
import { degraded, session, type SessionOptions } from '../src/index.ts'
import { createBrowser, type Browser } from './browser.ts'

declare module 'fastify' {
  interface Session {
    user?: string
    count?: number
    cart?: string
    big?: unknown
    [key: `key${string}`]: unknown
  }
}

export const secret = 'a secret of the tests, which is long enough'

/** An application that listens. */
export interface Site {
  readonly app: FastifyInstance
  readonly url: string
  browser(): Browser
  close(): Promise<void>
}

export interface SiteOptions extends Partial<SessionOptions> {
  readonly server?: FastifyServerOptions
  readonly routes?: FastifyPluginCallback
}

/** Serves an application with sessions on a free loopback port. */
export async function serve({ server, routes, ...options }: SiteOptions = {}): Promise<Site> {
  const app = fastify({ forceCloseConnections: true, ...server })
  const quiet = options.store ? {} : { logger: false as const }
  app.register(session, { secret, ...quiet, cookie: { secure: false, maxAge: 60_000 }, ...options })
  app.register(pages)
  if (routes) app.register(fp(routes))
  return listen(app)
}

export async function listen(app: FastifyInstance): Promise<Site> {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, browser: () => createBrowser(url), close: () => app.close() }
}

/** A small application: login, logout, a counter, and a look at the session. */
export const pages: FastifyPluginCallback = (app, _options, done) => {
  app.post<{ Params: { name: string } }>('/login/:name', async (request) => {
    await request.session.regenerate()
    request.session.user = request.params.name
    return { user: request.session.user }
  })
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return { user: null }
  })
  app.post('/count', async (request) => {
    request.session.count = (request.session.count ?? 0) + 1
    return { count: request.session.count }
  })
  app.post<{ Params: { item: string } }>('/cart/:item', async (request) => {
    request.session.cart = request.params.item
    return { cart: request.session.cart }
  })
  app.get('/me', async (request) => {
    const { user = null, count = 0, cart = null, sessionId } = request.session
    return { user, count, cart, id: sessionId, degraded: degraded(request) }
  })
  app.post('/redirect', async (request, reply) => {
    request.session.cart = 'redirected'
    return reply.redirect('/me')
  })
  app.get('/not-modified', async (_request, reply) => reply.code(304).send())
  app.get('/stream', async (request, reply) => {
    request.session.cart = 'streamed'
    return reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three']))
  })
  done()
}
