import { optionError } from '../../errors.ts'
import { parseAzureString } from './azure.ts'
import { readQuery } from './url-query.ts'

/** Where a Redis is and how to sign in, as ioredis takes it. */
export interface RedisAddress {
  host?: string
  port?: number
  /** A Unix socket, in the place of host and port. */
  path?: string
  username?: string
  password?: string
  db?: number
  family?: 0 | 4 | 6
  /** Present: TLS. */
  tls?: { rejectUnauthorized?: boolean }
}

const schemes: Readonly<Record<string, { tls: boolean }>> = {
  redis: { tls: false },
  valkey: { tls: false },
  rediss: { tls: true },
  valkeys: { tls: true },
}
const expected =
  'a URL such as redis://host:6379/0, rediss://user:password@host:6380 or unix:///run/redis.sock'
const encoding = 'with # / ? % and @ in user and password percent-encoded as %23 %2F %3F %25 and %40'

/**
 * Reads a Redis URL: `redis`, `rediss`, `valkey`, `valkeys` or `unix`, a bare `host:port`, or an Azure connection
 * string. Space and quotes around it are taken off. What clients would pass over in silence, such as a database that is
 * no number or a parameter nobody knows, is an error here; it names `option` and holds neither user nor password.
 */
export function parseRedisUrl(given: string, option = 'redis'): RedisAddress {
  const url = given
    .trim()
    .replace(/^(['"])(.*)\1$/s, '$2')
    .trim()
  const fail = (what: string): never => {
    throw optionError(option, what, redactUrl(url))
  }
  if (url === '') return fail(expected)
  if (/\s/.test(url)) return fail('a URL without spaces')
  if (/,/.test(url) && !url.includes('://')) return parseAzureString(url, fail)

  const [, scheme = 'redis', rest = url] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? []
  if (rest === url && isSchemeWithoutSlashes(url))
    return fail(`${expected}; the // after the scheme is missing`)
  const kind = scheme.toLowerCase()
  if (kind === 'unix') return parseUnix(rest, fail)
  const found = Object.hasOwn(schemes, kind) ? schemes[kind] : undefined
  if (!found) return fail(adviceFor(kind, rest))

  const [, authority = '', path = '', query = '', fragment] =
    /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(rest) ?? []
  // A sign-in that holds one of these ends the authority too early; the @ is then left behind.
  if (fragment !== undefined || `${path}${query}`.includes('@')) return fail(`${expected}, ${encoding}`)

  const at = authority.lastIndexOf('@')
  return {
    ...readHost(authority.slice(at + 1), fail),
    ...(at === -1 ? {} : readUser(authority.slice(0, at), fail)),
    ...(found.tls ? { tls: {} } : {}),
    ...readQuery(query, { path: readDatabase(path.replace(/^\//, ''), fail), tls: found.tls }, fail),
  }
}

/** Whether an address means this very machine, by way of the network. */
export function isLocal({ host }: RedisAddress): boolean {
  return host !== undefined && /^(localhost|127(\.\d+){3}|::1|0\.0\.0\.0)$/i.test(host)
}

/** Gives a Redis URL fit for a log: scheme, host, port and database; anything that may be a secret is `***`. */
export function redactUrl(url: string): string {
  const [, scheme = '', all = url] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url) ?? []
  // In an Azure connection string, the secrets follow the first comma.
  const rest = scheme === '' ? all.replace(/,.*/s, '') : all
  const at = rest.lastIndexOf('@')
  const address = /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?(\/\d*)?(?=$|[?#])/i.exec(rest.slice(at + 1))?.[0]
  return `${scheme}${at === -1 ? '' : '***@'}${address ?? '***'}`
}

type Fail = (what: string) => never

/**
 * Whether it begins as `rediss:user:password@host` does, which would pass for a user of that name, in plain text. The `redis`
 * of `redis:6379` is a host, as it often is among containers.
 */
function isSchemeWithoutSlashes(url: string): boolean {
  const [, scheme = '', rest = ''] = /^(\w+):(.*)$/s.exec(url) ?? []
  const kind = scheme.toLowerCase()
  return Object.hasOwn(schemes, kind) && (schemes[kind]!.tls || !/^\d+([/?]|$)/.test(rest))
}

function readHost(text: string, fail: Fail): RedisAddress {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return fail(`${expected}, ${encoding}`)
  if (/[^\p{L}\p{N}._:-]/u.test(host)) {
    return fail('a URL whose host is a name or an address, not a placeholder that nobody filled in')
  }
  if (port === undefined) return { host, port: 6379 }
  const number = Number(port)
  if (number < 1 || number > 65_535) return fail('a URL whose port is between 1 and 65535')
  return { host, port: number }
}

function readUser(text: string, fail: Fail): RedisAddress {
  const colon = text.indexOf(':')
  // Some providers print the password there, others a user; ioredis and node-redis disagree about which it is.
  if (colon === -1)
    return fail('a URL with :password@ or user:password@ before the host (the colon is missing)')
  const username = decode(text.slice(0, colon), fail)
  const password = decode(text.slice(colon + 1), fail)
  return {
    ...(username === '' ? {} : { username }),
    ...(username === '' && password === '' ? {} : { password }),
  }
}

function decode(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return fail(`${expected}, ${encoding}`)
  }
}

function readDatabase(text: string, fail: Fail): number | undefined {
  if (text === '') return undefined
  return /^\d{1,9}$/.test(text) ? Number(text) : fail('a URL whose path is a database number such as /0')
}

/** `unix:///path`, `unix://user:password@/path`, with the database as `?db=1`. */
function parseUnix(rest: string, fail: Fail): RedisAddress {
  const [, user, path = '', query = ''] = /^(?:([^/]*)@)?(\/[^?#]+)(?:\?([^#]*))?$/s.exec(rest) ?? []
  if (path === '') return fail('a URL with an absolute path, such as unix:///run/redis.sock')
  return {
    path: decode(path, fail),
    ...(user === undefined ? {} : readUser(user, fail)),
    ...readQuery(query, { path: undefined, tls: false }, fail),
  }
}

function adviceFor(scheme: string, rest: string): string {
  if (/^https?$/.test(scheme)) {
    return rest.includes('upstash.io')
      ? 'the rediss:// URL of the Upstash console; its https:// URL is for @holdfast/backend-upstash'
      : `${expected}; http is not a way to reach Redis`
  }
  if (/tls|ssl/.test(scheme)) return 'a URL that starts with rediss://, which is how TLS is asked for'
  return expected
}
