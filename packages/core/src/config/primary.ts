import type { Backend } from '../backend/backend.ts'
import { createMemoryBackend } from '../backend/memory.ts'
import { redisBackendFrom, type RedisSource } from '../backend/redis/connect.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../degradation/transition-log.ts'
import { HoldfastError, optionError } from '../errors.ts'
import { redisFromEnvironment } from './environment.ts'

/** Which primary to use. */
export interface PrimaryOptions {
  /**
   * The Redis to use: a URL, ioredis options, an ioredis client (single, Cluster, Sentinel), a node-redis client, a
   * command port, or `"memory"` for none. Left out: the URL in `REDIS_URL`; without one, memory with a warning, and an
   * error in production.
   */
  readonly redis?: RedisSource | 'memory' | undefined
  /** A backend of another kind instead of Redis. */
  readonly backend?: Backend
  /** Where variables are read from; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Chooses the primary by option, then environment, then memory. */
export function choosePrimary(
  { redis, backend, env = process.env }: PrimaryOptions,
  { logger, clock }: { logger: Logger; clock: Clock },
): Backend {
  if (backend !== undefined) {
    if (redis !== undefined) throw optionError('backend', 'left out where "redis" is given', 'both')
    return checked(backend)
  }
  if (redis === 'memory') return createMemoryBackend({ clock })
  if (redis !== undefined) return redisBackendFrom(redis)

  const found = redisFromEnvironment(env)
  const isProduction = env.NODE_ENV === 'production'
  if (found) {
    if (isProduction && found.isLocal) logger.warn(`holdfast: ${found.variable} points at this very machine`)
    return redisBackendFrom(found.url, { option: found.variable })
  }
  if (isProduction) {
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      'REDIS_URL is not set. Set it, give the option "redis", or ask for redis: "memory" by name.',
    )
  }
  logger.warn('holdfast: REDIS_URL is not set: everything is kept in this process and ends with it')
  return createMemoryBackend({ clock })
}

/** The methods that no backend may leave out. */
type MethodName = {
  [Name in keyof Backend]-?: Backend[Name] extends (...args: never[]) => unknown ? Name : never
}[keyof Backend]

const methods = {
  get: true,
  getMany: true,
  set: true,
  delete: true,
  touch: true,
  scan: true,
  publish: true,
  subscribe: true,
  ping: true,
  close: true,
} satisfies Record<MethodName, true>

/** Gives a backend back if it can be one; whether it keeps its promises, `@holdfast/conformance` finds out. */
function checked(backend: Backend): Backend {
  const isBackend =
    typeof backend?.name === 'string' &&
    typeof backend.capabilities === 'object' &&
    Object.keys(methods).every((name) => typeof backend[name as MethodName] === 'function')
  if (isBackend) return backend
  const expected = `a backend, with a name, capabilities and the methods ${Object.keys(methods).join(', ')}`
  // Text may be a URL, with its credentials.
  throw optionError('backend', expected, typeof backend === 'string' ? 'text' : backend)
}
