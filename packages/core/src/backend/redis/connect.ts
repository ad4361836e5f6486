import type { RedisOptions } from 'ioredis'
import { parseRedisUrl } from './url.ts'
import { optionError } from '../../errors.ts'
import { ioredisPort, ioredisPortLike, type IoredisClient, type IoredisPortOptions } from './ioredis.ts'
import { nodeRedisPortLike } from './node-redis.ts'
import type { NodeRedisSource } from './node-redis-dialect.ts'
import type { CommandPort } from './port.ts'
import { createRedisBackend, type RedisBackend } from './redis.ts'

/**
 * Which Redis to use: a URL, options of ioredis, the application's own client (ioredis or node-redis; single, Cluster or
 * Sentinel), or a {@link CommandPort} to a client of another kind.
 */
export type RedisSource = string | RedisOptions | IoredisClient | NodeRedisSource | CommandPort

export interface RedisFromOptions extends IoredisPortOptions {
  /** What to call the source in errors: an option or an environment variable. Default `redis`. */
  readonly option?: string
}

/** Creates a Redis backend from whatever names a Redis. Throws an error that names the option, and no credential. */
export function redisBackendFrom(
  source: RedisSource,
  { option = 'redis', ...portOptions }: RedisFromOptions = {},
): RedisBackend {
  return createRedisBackend({ port: portFrom(source, option, portOptions) })
}

const expected =
  'a Redis URL, ioredis options, an ioredis client or Cluster, a node-redis client, cluster or sentinel of version 5 ' +
  'or later, or a CommandPort'

function portFrom(source: RedisSource, option: string, portOptions: IoredisPortOptions): CommandPort {
  if (typeof source === 'string') return ioredisPort(parseRedisUrl(source, option), portOptions)
  if (typeof source !== 'object' || source === null) throw optionError(option, expected, source)
  if (has(source, ['send', 'shards', 'watch', 'reset', 'close'])) return source as CommandPort
  if (has(source, ['duplicate', 'callBuffer', 'disconnect']))
    return ioredisPortLike(source as IoredisClient, portOptions)
  if (has(source, ['duplicate', 'sendCommand', 'connect', 'destroy'])) {
    return nodeRedisPortLike(source as NodeRedisSource)
  }
  if (isPlain(source)) return ioredisPort(checked(source as RedisOptions, option), portOptions)
  throw optionError(option, expected, source)
}

function has(source: object, methods: readonly string[]): boolean {
  return methods.every((method) => typeof (source as Record<string, unknown>)[method] === 'function')
}

function isPlain(source: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(source)
  return prototype === Object.prototype || prototype === null
}

function checked(options: RedisOptions, option: string): RedisOptions {
  if ('socket' in options || 'url' in options || 'rootNodes' in options) {
    throw optionError(
      option,
      'options as ioredis takes them, or a client of node-redis',
      'options of node-redis',
    )
  }
  const { db = 0, port } = options
  if (!Number.isInteger(db) || db < 0) throw optionError(`${option}.db`, 'a whole number, 0 or more', db)
  if (port !== undefined && port !== null && !(Number.isInteger(port) && port > 0 && port <= 65_535)) {
    throw optionError(`${option}.port`, 'a whole number between 1 and 65535', port)
  }
  return options
}
