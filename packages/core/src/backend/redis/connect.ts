import type { RedisOptions } from 'ioredis'
import { optionError } from '../../errors.ts'
import { ioredisPort, ioredisPortLike, type IoredisClient, type IoredisPortOptions } from './ioredis.ts'
import type { CommandPort } from './port.ts'
import { createRedisBackend, type RedisBackend } from './redis.ts'

export type RedisSource = string | RedisOptions | IoredisClient | CommandPort
export function redisBackendFrom(source: RedisSource, options: IoredisPortOptions & {option?: string} = {}): RedisBackend {
  if (typeof source === 'string') {
    const u = new URL(source)
    return createRedisBackend({ port: ioredisPort({ host: u.hostname, port: Number(u.port || 6379), ...(u.password ? { password: decodeURIComponent(u.password) } : {}), db: Number(u.pathname.slice(1) || 0) }, options) })
  }
  if ('duplicate' in source) return createRedisBackend({ port: ioredisPortLike(source as IoredisClient, options) })
  if ('shards' in source) return createRedisBackend({ port: source as CommandPort })
  if (typeof source === 'object') return createRedisBackend({ port: ioredisPort(source as RedisOptions, options) })
  throw optionError('redis', 'a URL, a client', source)
}
