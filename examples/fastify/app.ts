import { degraded, session, type SessionOptions } from '@holdfast/session-fastify'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { readFileSync } from 'node:fs'

declare module 'fastify' {
  interface Session {
    name?: string
    device?: string
  }
}

const page = readFileSync(new URL('page.html', import.meta.url))
const longestName = 40

/** A login, and the devices that are logged in by the same name: each can be logged out, or all of them. */
export function createApp(options: SessionOptions): FastifyInstance {
  const app = fastify({ bodyLimit: 1_024, forceCloseConnections: true })
  app.get('/', async (_request, reply) => reply.type('text/html').send(page))

  app.register(async (inner) => {
    inner.register(session, {
      cookie: { secure: 'auto', httpOnly: true, sameSite: 'lax', maxAge: 3_600_000 },
      saveUninitialized: false,
      userId: ({ name }) => name as string | undefined,
      note: ({ device }) => device,
      ...options,
    })
    inner.addHook('onRequest', sameOrigin)

    inner.get('/me', async (request) => {
      const { name = null, sessionId } = request.session
      const { sessions, holdfast } = inner.sessionStore
      const devices = name === null ? [] : await sessions.list(name)
      const handle = sessions.handleOf(sessionId)
      return { name, handle, devices, degraded: degraded(request), state: holdfast.state }
    })

    inner.post<{ Body: { name?: unknown } | null }>('/login', async (request, reply) => {
      const given = request.body?.name
      const name = typeof given === 'string' ? given.trim().slice(0, longestName) : ''
      if (name === '') return reply.code(400).send({ error: 'A name, please.' })
      await request.session.regenerate()
      request.session.name = name
      request.session.device = deviceOf(request)
      return { name }
    })

    inner.post('/logout', async (request) => {
      await request.session.destroy()
      return {}
    })

    inner.post<{ Params: { handle: string } }>('/devices/:handle/logout', async (request, reply) => {
      const { name } = request.session
      const hasEnded =
        name !== undefined && (await inner.sessionStore.sessions.endOne(name, request.params.handle))
      return reply.code(hasEnded ? 200 : 404).send({})
    })

    inner.post('/logout-everywhere', async (request) => {
      const { name } = request.session
      if (name !== undefined) await inner.sessionStore.sessions.endAll(name)
      await request.session.destroy()
      return {}
    })

    // What should not run on a token alone, which may have been stolen, or ended where this process cannot hear of it.
    inner.post<{ Body: { name?: unknown } | null }>('/code', async (request, reply) => {
      if (request.session.name === undefined) return reply.code(401).send({ error: 'Log in first.' })
      if (degraded(request) === 'token') return reply.code(503).send({ error: 'Not while Redis is away.' })
      return { code: 'holdfast' }
    })
  })
  return app
}

/** Keeps other sites from pressing the buttons with a visitor's cookie. */
async function sameOrigin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  if (request.method === 'GET') return undefined
  const { host, origin, 'sec-fetch-site': site } = request.headers
  const isOwn = site ? site === 'same-origin' : !origin || URL.parse(origin)?.host === host
  return isOwn ? undefined : reply.code(403).send({ error: 'Only from this page.' })
}

const browsers = ['Edg', 'Firefox', 'Chrome', 'Safari', 'curl']
const systems = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux']

function deviceOf({ headers }: FastifyRequest): string {
  const agent = headers['user-agent'] ?? ''
  const browser = browsers.find((name) => agent.includes(name)) ?? 'A browser'
  const system = systems.find((name) => agent.includes(name))
  return system ? `${browser} on ${system}` : browser
}
