import { isLocal, parseRedisUrl } from '../backend/redis/url.ts'

/** A Redis that the environment names. */
export interface RedisFromEnvironment {
  readonly url: string
  /** The variable it was found in, for errors and warnings. */
  readonly variable: string
  /** It means this very machine, which is hardly meant in production. */
  readonly isLocal: boolean
}

const variable = 'REDIS_URL'

/** Finds the Redis the environment names. A blank variable is an unset one; one that is no Redis URL throws. */
export function redisFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): RedisFromEnvironment | undefined {
  const url = env[variable]?.trim()
  if (url === undefined || url === '') return undefined
  return { url, variable, isLocal: isLocal(parseRedisUrl(url, variable)) }
}
