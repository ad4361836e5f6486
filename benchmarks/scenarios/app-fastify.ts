// A server process of its own: the routes served by Fastify.
import { degraded, session } from '@holdfast/session-fastify'
import fastify, { type FastifyRequest } from 'fastify'
import type { AddressInfo } from 'node:net'
import { maxAge, report, settings } from './process.ts'
import { routes, type Visit } from './routes.ts'

const { redis, secrets } = settings()
const app = fastify()
await app.register(session, {
  secret: secrets,
  redis,
  continuity: {},
  userId: ({ user }) => user as string | undefined,
  note: ({ device }) => ({ device }),
  cookie: { secure: false, maxAge },
  logger: false,
})

for (const { method, path, answer } of routes) {
  app.route({ method, url: path, handler: (request) => answer(visitOf(request)) })
}
await app.listen({ port: 0, host: '127.0.0.1' })
report((app.server.address() as AddressInfo).port, () => app.sessionStore.holdfast.state)

function visitOf(request: FastifyRequest): Visit {
  return {
    body: (request.body ?? {}) as Visit['body'],
    get session() {
      return request.session as unknown as Visit['session']
    },
    get id() {
      return request.session.sessionId
    },
    get isDegraded() {
      return Boolean(degraded(request))
    },
    sessions: app.sessionStore.sessions,
    state: app.sessionStore.holdfast.state,
    regenerate: () => request.session.regenerate(),
    destroy: () => request.session.destroy(),
  }
}
