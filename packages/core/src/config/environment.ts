export function redisFromEnvironment(env: Readonly<Record<string, string | undefined>>): { url: string; variable: string; isLocal: boolean } | undefined {
  return env.REDIS_URL?.trim() ? { url: env.REDIS_URL.trim(), variable: 'REDIS_URL', isLocal: false } : undefined
}
