import type { RedisAddress } from './url.ts'

/** Settings of StackExchange.Redis that concern its own behaviour, or are our default anyway. */
const ignored = new Set([
  'abortconnect',
  'allowadmin',
  'asynctimeout',
  'connectretry',
  'connecttimeout',
  'keepalive',
  'name',
  'sslprotocols',
  'synctimeout',
])

/** Reads the connection string Azure shows: `name.redis.cache.windows.net:6380,password=…,ssl=True`. */
export function parseAzureString(text: string, fail: (what: string) => never): RedisAddress {
  const [endpoint = '', ...settings] = text.split(',')
  const [, host, port] = /^([\w.-]+):(\d{1,5})$/.exec(endpoint) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    return fail('a Redis URL, or an Azure connection string that begins with host:port')
  }
  const address: RedisAddress = { host, port: Number(port) }
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    const name = setting.slice(0, equals).trim().toLowerCase()
    const value = setting.slice(equals + 1).trim()
    if (setting.trim() === '' || ignored.has(name)) continue
    if (name === 'password') address.password = value
    else if (name === 'user') address.username = value
    else if (name === 'ssl' && /^(true|false)$/i.test(value)) {
      if (/true/i.test(value)) address.tls = {}
    } else if (name === 'defaultdatabase' && /^\d{1,9}$/.test(value)) address.db = Number(value)
    else return fail('an Azure connection string of host:port, password, user, ssl and defaultDatabase')
  }
  return address
}
