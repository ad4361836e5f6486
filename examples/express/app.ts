import { session, type HoldfastSession } from '@holdfast/session-express'
import express, { type Express, type RequestHandler } from 'express'
import { fileURLToPath } from 'node:url'
import type { DemoRedis } from './demo-redis.ts'

declare module 'express-session' {
  interface SessionData {
    name?: string
    count?: number
  }
}

/** The demo: a login, a counter per session, and buttons that break its Redis. */
export interface Demo {
  readonly app: Express
  readonly sessions: HoldfastSession
}

const pages = fileURLToPath(new URL('public', import.meta.url))
const longestName = 40

export function createDemo(redis: DemoRedis, secret: string): Demo {
  const sessions = session({
    secret,
    redis: redis.redis,
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: 3_600_000 },
  })
  const log: { at: number; text: string }[] = []
  sessions.holdfast.on('transition', ({ to, fault, lasted }) => {
    log.unshift({ at: Date.now(), text: describe(to, fault, lasted) })
    log.length = Math.min(log.length, 30)
  })

  const app = express()
  app.disable('x-powered-by')
  app.use(express.static(pages))
  // The state is no session's: it is asked every half second, and costs Redis nothing.
  app.get('/state', (_req, res) => {
    const { state, backend, since, degraded, fault, counts, memory } = sessions.holdfast.health()
    const { description, isBreakable } = redis
    res.json({
      state,
      backend,
      since,
      degraded,
      fault,
      counts,
      memory,
      log,
      redis: { description, isBreakable },
    })
  })
  app.use(express.json({ limit: '1kb' }), sessions)

  app.get('/me', (req, res) => {
    res.json({ name: req.session.name ?? null, count: req.session.count ?? 0 })
  })
  app.post('/login', sameOrigin, (req, res, next) => {
    const { name: given } = (req.body ?? {}) as { name?: unknown }
    const name = typeof given === 'string' ? given.trim().slice(0, longestName) : ''
    if (name === '') return res.status(400).json({ error: 'A name, please.' })
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.name = name
      res.json({ name, count: 0 })
    })
  })
  app.post('/count', sameOrigin, (req, res) => {
    req.session.count = (req.session.count ?? 0) + 1
    res.json({ name: req.session.name ?? null, count: req.session.count })
  })
  app.post('/logout', sameOrigin, (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.json({ name: null, count: 0 })))
  })
  app.post('/redis/:action', sameOrigin, (req, res, next) => {
    if (!redis.isBreakable) return res.status(403).json({ error: 'This Redis is not the demo’s to break.' })
    const action = String(req.params.action)
    redis.act(action).then((isKnown) => res.status(isKnown ? 200 : 404).json({ action }), next)
  })
  return { app, sessions }
}

/** Keeps other sites from pressing the buttons with a visitor's cookie. */
const sameOrigin: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site')
  const origin = req.get('origin')
  const isOwn = site ? site === 'same-origin' : !origin || URL.parse(origin)?.host === req.get('host')
  if (isOwn) next()
  else res.status(403).json({ error: 'Only from this page.' })
}

function describe(
  to: string,
  fault: { code: string; hint: string | undefined } | undefined,
  lasted: number,
): string {
  if (to === 'degraded') return `degraded: ${fault?.code ?? ''}${fault?.hint ? `, ${fault.hint}` : ''}`
  return to === 'healthy'
    ? `healthy, after settling for ${lasted} ms`
    : `Redis answers after ${(lasted / 1000).toFixed(1)} s; settling`
}
