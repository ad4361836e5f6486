import type { RedisAddress } from './url.ts'

/** What the rest of the URL said about the same things. */
interface Said {
  readonly path: number | undefined
  readonly tls: boolean
}

/** Reads the parameters of a Redis URL: `db`, `family`, `tls` (or `ssl`) and `ssl_cert_reqs`. Any other is an error. */
export function readQuery(query: string, said: Said, fail: (what: string) => never): RedisAddress {
  const address: RedisAddress = said.path === undefined ? {} : { db: said.path }
  let tls = said.tls
  for (const [name, value] of new URLSearchParams(query)) {
    switch (name) {
      case 'db':
      case 'database':
        if (!/^\d{1,9}$/.test(value)) return fail('a URL whose "db" is a database number')
        if (said.path !== undefined && said.path !== Number(value))
          return fail('a URL that names one database only')
        address.db = Number(value)
        break
      case 'family':
        if (!/^[046]$/.test(value)) return fail('a URL whose "family" is 0, 4 or 6')
        address.family = Number(value) as 0 | 4 | 6
        break
      case 'tls':
      case 'ssl':
        if (value !== 'true' && (value !== 'false' || said.tls))
          return fail('a URL that says by rediss:// whether it uses TLS')
        tls = value === 'true'
        break
      case 'ssl_cert_reqs':
        if (!/^(none|optional|required|CERT_NONE|CERT_OPTIONAL|CERT_REQUIRED)$/.test(value)) {
          return fail('a URL whose "ssl_cert_reqs" is none, optional or required')
        }
        address.tls = { rejectUnauthorized: !/none/i.test(value) }
        break
      default:
        return fail(`a URL without ${named(name)}; give further settings as options`)
    }
  }
  if (address.tls && !tls) return fail('a URL that starts with rediss:// where it has "ssl_cert_reqs"')
  if (tls) address.tls ??= {}
  return address
}

function named(name: string): string {
  return /^[\w.-]{1,40}$/.test(name) ? `the parameter "${name}"` : 'parameters that nobody knows'
}
