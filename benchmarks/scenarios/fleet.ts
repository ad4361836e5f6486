import type { State } from '@holdfast/core'
import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { startApp, type App, type Framework } from './app.ts'
import type { Browser } from './browser.ts'

/** Two server processes of one framework, and their Redis. */
export interface Fleet {
  readonly framework: Framework
  readonly redis: RedisServer
  readonly apps: readonly [App, App]
  /** Waits until both processes say so. */
  until(state: State): Promise<void>
  /** Removes one session's record, as Redis does when it needs the memory. */
  evict(browser: Browser): Promise<void>
  /** Takes a copy of all data, which a restart after `redis.kill()` begins with. */
  copyData(): Promise<void>
  flushAll(): Promise<void>
  close(): Promise<void>
}

export const secret = 'the first secret of the scenarios'

/** Starts a fleet, and resolves once it is healthy. */
export async function startFleet(
  framework: Framework,
  secrets: readonly string[] = [secret],
): Promise<Fleet> {
  const redis = await startRedis()
  const starting = ['process 1', 'process 2'].map((name) =>
    startApp({ name, framework, redis: redis.url, secrets }),
  )
  const close = async (): Promise<void> => {
    const started = await Promise.allSettled(starting)
    await Promise.all(started.map((one) => one.status === 'fulfilled' && one.value.kill()))
    await redis.stop()
  }

  try {
    const apps = (await Promise.all(starting)) as unknown as Fleet['apps']
    await until(apps, 'healthy')
    return {
      framework,
      redis,
      apps,
      until: (state) => until(apps, state),
      evict: (browser) => evict(redis, browser),
      copyData: async () => void (await redis.control.command('SAVE')),
      flushAll: async () => void (await redis.control.command('FLUSHALL')),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function until(apps: readonly App[], wanted: State): Promise<void> {
  return eventually(async () => {
    const states = await Promise.all(apps.map((app) => app.state()))
    if (states.some((state) => state !== wanted)) throw new Error(`${states.join(', ')} instead of ${wanted}`)
  })
}

async function evict({ control }: RedisServer, browser: Browser): Promise<void> {
  const id = sessionIdOf(browser)
  const keys = (await control.command('KEYS', `*${id}`)) as unknown[]
  if (keys.length !== 1) throw new Error(`${keys.length} keys are those of the session to evict`)
  await control.command('DEL', String(keys[0]))
}

/** Session cookies of both frameworks carry the id and then its signature; express-session puts `s:` before it. */
function sessionIdOf({ cookies }: Browser): string {
  const cookie = cookies.get('connect.sid') ?? cookies.get('sessionId')
  if (!cookie) throw new Error('there is no session to evict')
  return decodeURIComponent(cookie)
    .replace(/^s:/, '')
    .replace(/\.[^.]*$/, '')
}
