// A server process of its own: the routes served by Express.
import { degraded, session } from '@holdfast/session-express'
import express, { type Request } from 'express'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { maxAge, report, settings } from './process.ts'
import { routes, type Visit } from './routes.ts'

const { redis, secrets } = settings()
const auth = session({
  secret: secrets,
  redis,
  continuity: {},
  userId: ({ user }) => user as string | undefined,
  note: ({ device }) => ({ device }),
  cookie: { maxAge },
  logger: false,
})

const app = express()
app.use(auth)
app.use(express.json())
for (const { method, path, answer } of routes) {
  app[method === 'GET' ? 'get' : 'post'](path, async (req, res) => {
    res.json(await answer(visitOf(req)))
  })
}
const server = app.listen(0, '127.0.0.1', () => {
  report((server.address() as AddressInfo).port, () => auth.holdfast.state)
})

function visitOf(req: Request): Visit {
  return {
    body: (req.body ?? {}) as Visit['body'],
    get session() {
      return req.session as unknown as Visit['session']
    },
    get id() {
      return req.sessionID
    },
    get isDegraded() {
      return Boolean(degraded(req))
    },
    sessions: auth.sessions,
    state: auth.holdfast.state,
    regenerate: () => promisify((done: (error?: unknown) => void) => req.session.regenerate(done))(),
    destroy: () => promisify((done: (error?: unknown) => void) => req.session.destroy(done))(),
  }
}
