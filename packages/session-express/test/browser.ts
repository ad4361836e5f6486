import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'

/** What a browser got. */
export interface Visit {
  readonly status: number
  readonly body: unknown
  /** The value of the session cookie that the response set, if it did. */
  readonly setCookie: string | undefined
  /** Every cookie that the response set, as it stands in the header. */
  readonly setCookies: readonly string[]
  readonly headers: Headers
  readonly ms: number
}

/** A browser with a cookie jar of its own, over real HTTP. */
export interface Browser {
  cookie: string | undefined
  /** The continuity token. */
  token: string | undefined
  get(path: string, headers?: Record<string, string>): Promise<Visit>
  post(path: string): Promise<Visit>
  head(path: string): Promise<Visit>
  /** A thief's copy of both cookies, for this site or another one. */
  copy(at?: Site): Browser
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

function createBrowser(
  url: string,
  cookieName: string,
  jar: ReadonlyMap<string, string> = new Map(),
): Browser {
  const cookies = new Map(jar)
  const tokenName = `${cookieName}.ct`
  const keep = (name: string, value: string | undefined): void =>
    void (value === undefined ? cookies.delete(name) : cookies.set(name, value))
  const browser: Browser = {
    get cookie() {
      return cookies.get(cookieName)
    },
    set cookie(value) {
      keep(cookieName, value)
    },
    get token() {
      return cookies.get(tokenName)
    },
    set token(value) {
      keep(tokenName, value)
    },
    get: (path, headers) => visit('GET', path, headers),
    post: (path) => visit('POST', path),
    head: (path) => visit('HEAD', path),
    copy: (at) => createBrowser(at?.url ?? url, cookieName, cookies),
  }
  async function visit(method: string, path: string, headers: Record<string, string> = {}): Promise<Visit> {
    const began = performance.now()
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: cookie ? { ...headers, cookie } : headers,
    })
    const text = await response.text()
    const setCookies = response.headers.getSetCookie()
    for (const line of setCookies) {
      const [name, value] = line.split(';')[0]!.split('=') as [string, string]
      keep(name, /expires=Thu, 01 Jan 1970/i.test(line) ? undefined : value)
    }
    const set = setCookies.find((line) => line.startsWith(`${cookieName}=`))
    const setCookie = set?.slice(cookieName.length + 1).split(';')[0]
    const ms = performance.now() - began
    return {
      status: response.status,
      body: parsed(text),
      setCookie,
      setCookies,
      headers: response.headers,
      ms,
    }
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
export function application(...middleware: express.RequestHandler[]): Express {
  const app = express()
  app.use(...middleware)
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
