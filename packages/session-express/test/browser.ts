import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'

/** What a browser got. */
export interface Visit {
  readonly status: number
  readonly body: unknown
  /** The value of the session cookie that the response set, if it did. */
  readonly setCookie: string | undefined
  readonly ms: number
}

/** A browser with a cookie jar of its own, over real HTTP. */
export interface Browser {
  cookie: string | undefined
  get(path: string): Promise<Visit>
  post(path: string): Promise<Visit>
}

export interface Site {
  readonly url: string
  browser(): Browser
  close(): Promise<void>
}

/** Serves an application on a free loopback port. */
export async function serve(app: Express, cookieName = 'connect.sid'): Promise<Site> {
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    browser: () => createBrowser(url, cookieName),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function createBrowser(url: string, cookieName: string): Browser {
  const browser: Browser = {
    cookie: undefined,
    get: (path) => visit('GET', path),
    post: (path) => visit('POST', path),
  }
  async function visit(method: string, path: string): Promise<Visit> {
    const began = performance.now()
    const response = await fetch(url + path, {
      method,
      headers: browser.cookie ? { cookie: `${cookieName}=${browser.cookie}` } : {},
    })
    const text = await response.text()
    const set = response.headers.getSetCookie().find((line) => line.startsWith(`${cookieName}=`))
    const setCookie = set?.slice(cookieName.length + 1).split(';')[0]
    if (setCookie !== undefined) browser.cookie = setCookie
    return { status: response.status, body: parsed(text), setCookie, ms: performance.now() - began }
  }
  return browser
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

declare module 'express-session' {
  interface SessionData {
    user?: string
    count?: number
    cart?: string
    big?: string
  }
}

/** A small application: login, logout, a counter, and a look at the session. */
export function application(middleware: express.RequestHandler): Express {
  const app = express()
  app.use(middleware)
  app.post('/login/:name', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = String(req.params.name)
      res.json({ user: req.session.user })
    })
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.json({ user: null })))
  })
  app.post('/count', (req, res) => {
    req.session.count = (req.session.count ?? 0) + 1
    res.json({ count: req.session.count })
  })
  app.post('/cart/:item', (req, res) => {
    req.session.cart = String(req.params.item)
    res.json({ cart: req.session.cart })
  })
  app.get('/me', (req, res) => {
    const { user = null, count = 0, cart = null } = req.session
    res.json({ user, count, cart, id: req.sessionID })
  })
  app.use(
    (
      error: { status?: number; code?: string },
      _req: express.Request,
      res: express.Response,
      next: express.NextFunction,
    ) => {
      if (res.headersSent) return next(error)
      res.status(error.status ?? 500).json({ code: error.code })
    },
  )
  return app
}
