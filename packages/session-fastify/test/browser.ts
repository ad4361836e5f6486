import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** What a browser got. */
export interface Visit {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: unknown
  /** The `Set-Cookie` lines of the response. */
  readonly lines: readonly string[]
  readonly ms: number
}

/** A browser with a cookie jar of its own, over real HTTP. Redirects are not followed. */
export interface Browser {
  readonly jar: Map<string, string>
  get(path: string, headers?: Record<string, string>): Promise<Visit>
  head(path: string): Promise<Visit>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Visit>
  /** Another browser with the same cookies. */
  clone(): Browser
}

export function createBrowser(url: string, jar: Map<string, string> = new Map()): Browser {
  async function visit(
    method: string,
    path: string,
    { body, headers }: { body?: unknown; headers?: Record<string, string> | undefined } = {},
  ): Promise<Visit> {
    const began = performance.now()
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const sent = {
      ...(cookie && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    }
    const answered = await exchange(
      url + path,
      method,
      sent,
      body === undefined ? undefined : JSON.stringify(body),
    )
    for (const line of answered.lines) keep(jar, line)
    return { ...answered, body: parsed(answered.text), ms: performance.now() - began }
  }
  return {
    jar,
    get: (path, headers) => visit('GET', path, { headers }),
    head: (path) => visit('HEAD', path),
    post: (path, body, headers) => visit('POST', path, { body, headers }),
    clone: () => createBrowser(url, new Map(jar)),
  }
}

function exchange(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Omit<Visit, 'body' | 'ms'>> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          lines: response.headers['set-cookie'] ?? [],
        }),
      )
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const name = pair.slice(0, pair.indexOf('='))
  const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice('expires='.length)
  const isOver =
    attributes.includes('Max-Age=0') || (expires !== undefined && Date.parse(expires) <= Date.now())
  if (isOver) jar.delete(name)
  else jar.set(name, pair.slice(name.length + 1))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
