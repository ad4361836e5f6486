import { canFindRedisServer, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'

/** The Redis of the demo: its own, which a visitor may break, or one from outside, which nobody may. */
export interface DemoRedis {
  /** For people: which Redis it is. */
  readonly description: string
  /** What to hand to Holdfast. */
  readonly redis: string
  readonly isBreakable: boolean
  /** Breaks or repairs it; `false` for what is not an action, or not allowed. */
  act(action: string): Promise<boolean>
  stop(): Promise<void>
}

/** Takes `REDIS_URL` if it is set, else starts a server if there is a binary, else goes by memory. */
export async function findDemoRedis(env: NodeJS.ProcessEnv): Promise<DemoRedis> {
  const url = env.REDIS_URL?.trim()
  if (url) return fixed('the Redis of REDIS_URL', url)
  if (!canFindRedisServer())
    return fixed('memory, as there is neither REDIS_URL nor a redis-server on this machine', 'memory')
  return breakable(await startRedis())
}

function fixed(description: string, redis: string): DemoRedis {
  return { description, redis, isBreakable: false, act: async () => false, stop: async () => {} }
}

function breakable(server: RedisServer): DemoRedis {
  let isFrozen = false

  function thaw(): void {
    if (isFrozen) server.thaw()
    isFrozen = false
  }

  return {
    description: `a redis-server of its own on port ${server.port}`,
    redis: server.url,
    isBreakable: true,
    async act(action) {
      switch (action) {
        case 'kill':
          thaw()
          if (server.running) await server.kill({ keepData: true })
          return true
        case 'restart':
          thaw()
          if (!server.running) await server.restart()
          return true
        case 'restart-empty':
          thaw()
          await server.restart({ empty: true })
          return true
        case 'hang':
          if (server.running) server.freeze()
          isFrozen = server.running
          return true
        case 'continue':
          thaw()
          return true
        default:
          return false
      }
    },
    stop: () => server.stop(),
  }
}
