import { Agent, request } from 'node:http'

/** One request and what became of it. */
export interface Sample {
  /** When it was due, in ms of `performance.now()`. */
  readonly due: number
  /** From when it was due until its answer was complete, in ms: waiting for one's turn counts. */
  readonly ms: number
  /** 0: the connection failed. -1: no answer within the patience of the client. */
  readonly status: number
  /** Why there was no answer, or what one of 5xx said. */
  readonly why: string | undefined
  /** Whose session the answer showed; `undefined` where none was asked for. */
  readonly user: string | null | undefined
  readonly expected: string | undefined
}

/** A visitor with cookies of their own, as the header `Cookie` has them. */
export interface Visitor {
  readonly name: string | undefined
  cookie: string | undefined
}

/** Visitors of one application, over real HTTP with kept connections and real cookies. */
export interface Load {
  readonly samples: Sample[]
  visit(visitor: Visitor, method: 'GET' | 'POST', path: string, due?: number): Promise<Sample>
  /** Sends `rate` requests a second, each when it is due, whether or not earlier ones were answered. */
  run(rate: number, visitors: readonly Visitor[]): { stop(): Promise<void> }
  close(): void
}

const patience = 10_000

export function createLoad(port: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const samples: Sample[] = []

  function visit(
    visitor: Visitor,
    method: 'GET' | 'POST',
    path: string,
    due = performance.now(),
  ): Promise<Sample> {
    return new Promise((resolve) => {
      const headers = visitor.cookie ? { cookie: visitor.cookie } : {}
      const done = (status: number, user?: string | null, why?: string): void => {
        clearTimeout(timer)
        resolve({ due, ms: performance.now() - due, status, why, user, expected: visitor.name })
      }
      const sent = request({ agent, port, host: '127.0.0.1', method, path, headers }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => {
          visitor.cookie = withSet(visitor.cookie, response.headers['set-cookie'])
          done(
            response.statusCode!,
            response.statusCode === 200 ? (JSON.parse(body) as { user: string }).user : undefined,
            response.statusCode === 200 ? undefined : body.slice(0, 200),
          )
        })
        response.on('error', (error) => done(0, undefined, whyOf(error)))
      })
      const timer = setTimeout(() => {
        done(-1)
        sent.destroy()
      }, patience)
      sent.on('error', (error) => done(0, undefined, whyOf(error)))
      sent.end()
    })
  }

  return {
    samples,
    visit,
    run(rate, visitors) {
      const began = performance.now()
      const under: Promise<unknown>[] = []
      let sent = 0
      const timer = setInterval(() => {
        for (; began + (sent * 1000) / rate <= performance.now(); sent++) {
          const due = began + (sent * 1000) / rate
          under.push(next(sent, due).then((sample) => samples.push(sample)))
        }
      }, 2)

      function next(i: number, due: number): Promise<Sample> {
        const visitor = visitors[(i * 7) % visitors.length]!
        const share = i % 20
        if (share < 12) return visit(visitor, 'GET', '/me', due)
        if (share < 17) return visit(visitor, 'POST', '/count', due)
        if (share < 19) return visit({ name: undefined, cookie: undefined }, 'GET', '/me', due)
        const name = `new ${i}`
        return visit({ name, cookie: undefined }, 'POST', `/login/${encodeURIComponent(name)}`, due)
      }

      return {
        async stop() {
          clearInterval(timer)
          await Promise.all(under)
        },
      }
    },
    close: () => agent.destroy(),
  }
}

/** The cookies after a response has set some. */
function withSet(cookies: string | undefined, set: readonly string[] = []): string | undefined {
  if (set.length === 0) return cookies
  const pairs = [...(cookies?.split('; ') ?? []), ...set.map((line) => line.split(';')[0]!)]
  return [...new Map(pairs.map((pair) => [pair.split('=')[0], pair])).values()].join('; ')
}

function whyOf(error: Error & { code?: string }): string {
  return error.code ?? error.message
}
