// The application under fault, a process of its own: sessions by Holdfast (also without the continuity
// token, and token first), or by connect-redis for comparison.
import { session } from '@holdfast/session-express'
import { RedisStore } from 'connect-redis'
import express, { type RequestHandler } from 'express'
import expressSession from 'express-session'
import { flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { connectNodeRedis } from './node-redis.ts'
import type { Telling } from './telling.ts'

/** What the application tells the one who watches. */
export type Message =
  | Telling
  | { readonly type: 'listening'; readonly port: number }
  /** Processor time of the process so far, in microseconds; the answer to any message. */
  | { readonly type: 'usage'; readonly micros: number }

declare module 'express-session' {
  interface SessionData {
    user?: string
    count?: number
  }
}

const { STORE: store = 'holdfast', CLIENT: client = 'ioredis', URL: url = '' } = process.env
const secret = 'of the fault table, which nobody is to guess'

const tell = (message: Message): void => void process.send?.(message)
const log = (line: string): void => tell({ type: 'log', line })
process.on('uncaughtException', (error) => tell({ type: 'uncaught', error: String(error) }))
process.on('unhandledRejection', (error) => tell({ type: 'uncaught', error: String(error) }))
process.on('disconnect', () => process.exit())
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  tell({ type: 'usage', micros: user + system })
})

const app = express()
app.use(store === 'connect-redis' ? await peer() : await ours())
app.post('/login/:name', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = req.params.name
    res.json({ user: req.session.user })
  })
})
app.post('/count', (req, res) => {
  req.session.count = (req.session.count ?? 0) + 1
  res.json({ user: req.session.user ?? null, count: req.session.count })
})
app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({ user: null })))
})
app.get('/me', (req, res) => {
  res.json({ user: req.session.user ?? null, count: req.session.count ?? 0 })
})
const server = app.listen(0, '127.0.0.1', () => {
  tell({ type: 'listening', port: (server.address() as AddressInfo).port })
  // For the next start: it is killed before it could do so at its end.
  flushCompileCache()
})

async function ours(): Promise<RequestHandler> {
  const logger = { info: log, warn: log, error: log }
  const middleware = session({
    secret,
    redis: client === 'node-redis' ? await connectNodeRedis(url, () => {}) : url,
    logger,
    continuity:
      store === 'holdfast-without-token' ? false : { trustFor: store === 'token-first' ? '30s' : 0 },
  })
  middleware.holdfast.on('transition', ({ to }) => tell({ type: 'transition', to, at: Date.now() }))
  return middleware
}

/** As connect-redis' README has it. */
async function peer(): Promise<RequestHandler> {
  const options = { secret, resave: false, saveUninitialized: false }
  const made = await connectNodeRedis(url, (error) => log(String(error)))
  return expressSession({ ...options, store: new RedisStore({ client: made }) })
}
