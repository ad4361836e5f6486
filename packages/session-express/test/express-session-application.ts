import { createHoldfast, type Holdfast } from '@holdfast/core'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import express, { type NextFunction, type Request, type Response } from 'express'
import expressSession from 'express-session'
import { session } from '../src/index.ts'
import { serve, type Site } from './browser.ts'

export const secret = 'a secret of the tests, of 32 bytes and more'

export type Options = Partial<expressSession.SessionOptions>
export type Handler = (req: Request, res: Response, next: NextFunction) => unknown
export type Routes = Record<string, Handler>
type Method = 'get' | 'set' | 'touch' | 'destroy'

/** A session middleware and its store, with the options of a case. */
export interface Subject {
  readonly middleware: express.RequestHandler
  readonly store: expressSession.Store
}

/** The same application over any subject, to look at from outside. */
export interface Application extends Site {
  readonly store: expressSession.Store
  /** What the middleware asked of the store, in order. */
  readonly asked: Method[]
  /** What reached the error handler. */
  readonly errors: Error[]
  /** Replaces a method of the store for the requests that follow. */
  replace(method: Method, by: (...args: never[]) => unknown): void
}

/** express-session with its MemoryStore. */
export function theirs(options: Options): Subject {
  const store = new expressSession.MemoryStore()
  const middleware = expressSession({ secret, resave: false, saveUninitialized: false, ...options, store })
  return { middleware, store }
}

/** `session()` on a real Redis: one connection for all cases, a prefix for each. */
export interface Ours {
  readonly redis: RedisServer
  create(options: Options): Subject
  stop(): Promise<void>
}

export async function startOurs(): Promise<Ours> {
  const redis = await startRedis()
  const holdfast: Holdfast = createHoldfast({ redis: redis.url, logger: false })
  await holdfast.ready()
  let applications = 0
  return {
    redis,
    create(options) {
      const prefix = `application${++applications}:`
      const middleware = session({ secret, holdfast, prefix, ...options })
      return { middleware, store: middleware.store }
    },
    async stop() {
      await holdfast.close()
      await redis.stop()
    },
  }
}

/** The routes that all applications have. */
export const usual = {
  '/': (req, res) => res.json({ id: req.sessionID, count: req.session?.count ?? null }),
  '/count': (req, res) => res.json({ count: (req.session.count = (req.session.count ?? 0) + 1) }),
} satisfies Routes

export interface Setting {
  readonly routes?: Routes
  readonly before?: Handler
  readonly trustProxy?: boolean
  readonly cookieName?: string
}

export async function serveApplication(
  { middleware, store }: Subject,
  { routes, before, trustProxy = false, cookieName }: Setting,
): Promise<Application> {
  const asked: Method[] = []
  const errors: Error[] = []
  const methods = store as unknown as Record<Method, (...args: never[]) => unknown>
  for (const method of ['get', 'set', 'touch', 'destroy'] as const) {
    const own = methods[method].bind(store)
    methods[method] = (...args) => {
      asked.push(method)
      return own(...args)
    }
  }
  const app = express()
  app.set('trust proxy', trustProxy)
  if (before) app.use(before)
  app.use(middleware)
  for (const [path, handler] of Object.entries({ ...usual, ...routes })) app.all(path, handler)
  app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
    errors.push(error)
    if (!res.headersSent) res.status(500).end()
  })
  const site = await serve(app, cookieName)
  return { ...site, store, asked, errors, replace: (method, by) => void (methods[method] = by) }
}
