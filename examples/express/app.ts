import { degraded, session, type HoldfastSession } from '@holdfast/session-express'
import express, { type Express, type Request, type RequestHandler } from 'express'
import { fileURLToPath } from 'node:url'
import type { DemoRedis } from './demo-redis.ts'
import { deviceOf } from './device.ts'
import { createPanel } from './panel.ts'

declare module 'express-session' {
  interface SessionData {
    name?: string
    device?: string
    email?: string
    count?: number
  }
}

/** The demo: a login, a counter per session, a user's devices, and buttons that break its Redis. */
export interface Demo {
  readonly app: Express
  readonly auth: HoldfastSession
}

const pages = fileURLToPath(new URL('public', import.meta.url))

/** `secret`: 32 random bytes or more, the same in all processes: it signs the cookie, and its keys seal the token. */
export function createDemo(redis: DemoRedis, secret: string): Demo {
  const auth = session({
    secret,
    redis: redis.redis,
    // `secure: true` as well, on a site that has TLS.
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: 3_600_000 },
    // Whose session it is, so that a user's sessions can be listed and ended; and what the list tells of each.
    userId: ({ name }) => name as string | undefined,
    note: ({ device }) => device,
  })
  const { sessions, holdfast } = auth

  const app = express()
  app.disable('x-powered-by')
  app.use(sameOrigin, express.static(pages), createPanel(redis, holdfast))
  app.use(express.json({ limit: '1kb' }), auth)

  app.get('/me', (req, res) => res.json(shown(req)))

  app.post('/count', (req, res) => {
    req.session.count = (req.session.count ?? 0) + 1
    res.json(shown(req))
  })

  app.post('/login', (req, res, next) => {
    const name = text(req, 'name', 40)
    if (name === '') return void res.status(400).json({ error: 'A name, please.' })
    // A new id with each login, so that nobody can have planted it.
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.name = name
      req.session.device = deviceOf(req.get('user-agent'))
      res.json(shown(req))
    })
  })

  app.post('/logout', logout)

  app.get('/devices', loggedIn, (req, res, next) => {
    const own = sessions.handleOf(req.sessionID)
    sessions.list(req.session.name!).then(
      (list) =>
        res.json(
          list.map(({ handle, startedAt, note }) => {
            return { handle, device: note, since: startedAt, isThis: handle === own }
          }),
        ),
      next,
    )
  })

  app.post('/devices/end', loggedIn, (req, res, next) => {
    sessions.endOne(req.session.name!, text(req, 'handle', 100)).then((isEnded) => {
      if (isEnded) res.json({ isEnded })
      else res.status(404).json({ error: 'That device is logged out already.' })
    }, next)
  })

  app.post('/logout/others', loggedIn, (req, res, next) => {
    const { sessionID: except } = req
    sessions.endAll(req.session.name!, { except }).then(() => res.json(shown(req)), next)
  })

  app.post('/logout/everywhere', loggedIn, (req, res, next) => {
    sessions.endAll(req.session.name!).then(() => logout(req, res, next), next)
  })

  app.post('/email', loggedIn, certain, (req, res) => {
    const email = text(req, 'email', 254)
    if (!/^\S+@\S+$/.test(email)) return void res.status(400).json({ error: 'An e-mail address, please.' })
    req.session.email = email
    res.json(shown(req))
  })

  return { app, auth }
}

/** What the page shows of a session, and what it runs on: `false` for Redis, else `memory`, `token` or `empty`. */
function shown(req: Request) {
  const { name = null, email = null, count = 0 } = (req.session as Request['session'] | undefined) ?? {}
  return { name, email, count, runsOn: degraded(req) }
}

function text(req: Request, field: string, longest: number): string {
  const value = (req.body as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'string' ? value.trim().slice(0, longest) : ''
}

/**
 * Keeps other sites from acting with a visitor's cookie: all that changes something is a POST, with which no browser sends a
 * `SameSite=Lax` cookie from another site. That is enough for this demo; the headers are looked at for those without a cookie.
 */
const sameOrigin: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site')
  const origin = req.get('origin')
  const isOwn = site ? site === 'same-origin' : !origin || URL.parse(origin)?.host === req.get('host')
  if (isOwn || ['GET', 'HEAD'].includes(req.method)) next()
  else res.status(403).json({ error: 'Only from this page.' })
}

const logout: RequestHandler = (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json(shown(req))))
}

const loggedIn: RequestHandler = (req, res, next) => {
  if (req.session.name !== undefined) next()
  else res.status(401).json({ error: 'Log in first.' })
}

/** For what must not be done on a token or on memory alone: another process may have ended the session meanwhile. */
const certain: RequestHandler = (req, res, next) => {
  if (!degraded(req)) next()
  else
    res.status(503).set('Retry-After', '5').json({
      error: 'Not just now: we cannot be sure that it is you. Nothing was changed; try again in a moment.',
    })
}
