import { describe, expect, it } from 'vitest'
import { redisFromEnvironment } from '../src/config/environment.ts'
import { isLocal, parseRedisUrl, redactUrl } from '../src/backend/redis/url.ts'

const h = { host: 'h', port: 6379 }

describe('parseRedisUrl', () => {
  it.each([
    ['redis://h', h],
    ['redis://h/', h],
    ['h:6380', { host: 'h', port: 6380 }],
    ['redis:6379', { host: 'redis', port: 6379 }],
    ['redis:6379/1', { host: 'redis', port: 6379, db: 1 }],
    ['my_redis-1.shop.internal', { host: 'my_redis-1.shop.internal', port: 6379 }],
    ['redis://h/0', { ...h, db: 0 }],
    ['redis://:p%40ss%2Fw@h:6380/2', { host: 'h', port: 6380, password: 'p@ss/w', db: 2 }],
    ['redis://us%3Aer:p@ss@h', { ...h, username: 'us:er', password: 'p@ss' }],
    ['redis://user:@h', { ...h, username: 'user', password: '' }],
    ['rediss://h', { ...h, tls: {} }],
    ['REDISS://h', { ...h, tls: {} }],
    ['valkey://h', h],
    ['valkeys://h', { ...h, tls: {} }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
    ['redis://h?db=3', { ...h, db: 3 }],
    ['redis://h/3?db=3', { ...h, db: 3 }],
    ['redis://h?family=0', { ...h, family: 0 }],
    ['redis://h?tls=true', { ...h, tls: {} }],
    ['rediss://h?ssl_cert_reqs=none', { ...h, tls: { rejectUnauthorized: false } }],
    ['rediss://h?ssl_cert_reqs=CERT_REQUIRED', { ...h, tls: { rejectUnauthorized: true } }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock' }],
    [
      'unix://user:pass@/run/redis.sock?db=1',
      { path: '/run/redis.sock', username: 'user', password: 'pass', db: 1 },
    ],
    ['  redis://h\n', h],
    ['"redis://h"', h],
    ["'redis://h'", h],
    [
      'name.redis.cache.windows.net:6380,password=aB+/c=,ssl=True,abortConnect=False',
      { host: 'name.redis.cache.windows.net', port: 6380, password: 'aB+/c=', tls: {} },
    ],
  ])('reads %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  it.each([
    ['', 'must be a URL'],
    ['redis://', '%23'],
    ['redis://user:pa#ss@h', '%23'],
    ['redis://user:pa/ss@h', '%2F'],
    ['redis://user:pa?ss@h', '%3F'],
    ['redis://user:100%pass@h', '%25'],
    ['redis://:pass', '%23'],
    ['redis://user@h', 'colon'],
    ['redis://h/abc', 'database'],
    ['redis://h/1/2', 'database'],
    ['redis://h/1.5', 'database'],
    ['redis://h/-1', 'database'],
    ['redis://h/1?db=2', 'one database'],
    ['redis://h?db=x', 'database number'],
    ['redis://h:0', 'port'],
    ['redis://h:65536', 'port'],
    ['redis://h?commandTimeout=500', '"commandTimeout"'],
    ['redis://h?ssl_cert_reqs=none', 'rediss://'],
    ['rediss://h?tls=false', 'rediss://'],
    ['https://x.upstash.io', '@holdfast/backend-upstash'],
    ['https://h', 'http is not'],
    ['redis+tls://h', 'rediss://'],
    ['postgres://h', 'redis://host'],
    ['redis://h h', 'spaces'],
    ['unix://run/redis.sock', 'absolute path'],
    ['h:6380,secretive=1', 'Azure'],
    ['rediss:user:pass@h:6379', '// after the scheme'],
    ['REDISS:h', '// after the scheme'],
    ['rediss:6379', '// after the scheme'],
    ['redis:user:pass@h', '// after the scheme'],
    ['redis:6379@h', '// after the scheme'],
    ['valkey:h:6379', '// after the scheme'],
    ['redis://$REDIS_HOST:6379', 'placeholder'],
    ['redis://${HOST}:6379', 'placeholder'],
    ['redis://u:p@<host>:6379', 'placeholder'],
    ['%HOST%:6379', 'placeholder'],
    ['$REDIS_URL', 'placeholder'],
  ])('refuses %s and says why', (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why)
  })

  it('names the option or variable', () => {
    expect(() => parseRedisUrl('ftp://h', 'REDIS_URL')).toThrow('Option "REDIS_URL"')
  })

  it.each([
    'redis://scott:tiger/x@h/zero',
    'redis://scott:ti#ger@h',
    'redis://:tiger',
    'redis://scott:tiger@',
    'redis://scott:tiger@h:99999',
    'scott:tiger@h:99999',
    'rediss:scott:tiger@h:6379',
    'redis:tiger',
    'redis://scott:tiger@$HOST',
    'redis://h/0?password=tiger',
    'https://scott:tiger@x.upstash.io',
    'h:6380,password=ti@ger,user=scott,what=1',
    'unix://scott:tiger@run',
  ])('keeps user and password out of the error for %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^(?!.*(tiger|scott|ger,|@ger)).*$/s)
  })
})

describe('redactUrl', () => {
  it.each([
    ['rediss://user:pass@h:6380/2', 'rediss://***@h:6380/2'],
    ['redis://h:6379', 'redis://h:6379'],
    ['redis://:pa', 'redis://***'],
    ['redis://h/0?password=x', 'redis://h/0'],
  ])('turns %s into %s', (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted)
  })
})

describe('redisFromEnvironment', () => {
  it.each([[{}], [{ REDIS_URL: '' }], [{ REDIS_URL: '  ' }]])('finds nothing in %o', (env) => {
    expect(redisFromEnvironment(env)).toBeUndefined()
  })

  it('names the variable and tells when it means this machine', () => {
    expect(redisFromEnvironment({ REDIS_URL: 'redis://redis.internal' })).toEqual({
      url: 'redis://redis.internal',
      variable: 'REDIS_URL',
      isLocal: false,
    })
    expect(['localhost', '127.0.0.1', '::1'].every((host) => isLocal({ host }))).toBe(true)
  })

  it('throws for a variable that is no Redis URL', () => {
    expect(() => redisFromEnvironment({ REDIS_URL: 'redis://h/abc' })).toThrow('REDIS_URL')
  })
})
