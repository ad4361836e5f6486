import { Agent, request, type IncomingMessage } from 'node:http'

/** What came back; `status` is 0 where there was no answer, and `body` is empty where it was no JSON. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A browser with a cookie jar. */
export interface Browser {
  readonly cookies: ReadonlyMap<string, string>
  /** Never rejects: a request that fails is counted. */
  send(port: number, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>
  /** Another browser with the same cookies, such as a thief's. */
  copy(): Browser
}

/** Browsers that are counted together, over real HTTP with kept connections. */
export interface Browsers {
  readonly requests: number
  /** One line for each request that was answered with anything but 200, or not within 2 s. */
  readonly failures: readonly string[]
  open(): Browser
  close(): void
}

const patience = 2_000

/** Creates browsers that have counted nothing yet. */
export function createBrowsers(): Browsers {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const failures: string[] = []
  let requests = 0

  function open(cookies = new Map<string, string>()): Browser {
    return {
      cookies,
      async send(port, method, path, body) {
        requests++
        const began = performance.now()
        const { response, text } = await exchange(port, method, path, body).catch((error: Error) => {
          return { response: undefined, text: error.message }
        })
        const status = response?.statusCode ?? 0
        if (status !== 200)
          failures.push(`${method} ${path}: ${status || 'no answer'}: ${text.slice(0, 200)}`)
        else if (performance.now() - began > patience) failures.push(`${method} ${path}: late`)
        for (const line of response?.headers['set-cookie'] ?? []) follow(cookies, line)
        return { status, body: status === 200 ? (JSON.parse(text) as Answer['body']) : {} }
      },
      copy: () => open(new Map(cookies)),
    }

    async function exchange(port: number, method: string, path: string, body: object | undefined) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = {
        ...(cookie && { cookie }),
        ...(body && { 'content-type': 'application/json' }),
      }
      const signal = AbortSignal.timeout(patience)
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { agent, host: '127.0.0.1', port, method, path, headers, signal }
        const sent = request(options, resolve).on('error', reject)
        sent.end(body && JSON.stringify(body))
      })
      const chunks = await response.toArray({ signal })
      return { response, text: Buffer.concat(chunks as Buffer[]).toString() }
    }
  }

  return {
    get requests() {
      return requests
    },
    failures,
    open: () => open(),
    close: () => agent.destroy(),
  }
}

/** Does what a `Set-Cookie` line says (RFC 6265, 5.3): `Max-Age` comes before `Expires`, and what is over is removed. */
function follow(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...rest] = line.split(';')
  const at = pair.indexOf('=')
  const name = pair.slice(0, at).trim()
  const attributes = new Map(rest.map((part) => attribute(part)))
  const maxAge = attributes.get('max-age')
  const expires = attributes.get('expires')
  const endsAt =
    maxAge !== undefined ? Date.now() + Number(maxAge) * 1000 : expires ? Date.parse(expires) : Infinity
  if (endsAt <= Date.now()) cookies.delete(name)
  else cookies.set(name, pair.slice(at + 1).trim())
}

function attribute(part: string): [name: string, value: string] {
  const at = part.indexOf('=')
  const name = at < 0 ? part : part.slice(0, at)
  return [name.trim().toLowerCase(), at < 0 ? '' : part.slice(at + 1).trim()]
}
