import {
  eventually,
  startProxy,
  startRedis,
  type Proxy,
  type RedisServer,
} from '@holdfast-internal/test-fixtures'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished } from 'vitest'
import {
  createHoldfast,
  type Cache,
  type CacheOptions,
  type Holdfast,
  type HoldfastOptions,
} from '../src/index.ts'

/** What a process of a fleet has: a Holdfast behind a line of its own, and a cache. */
export interface Process {
  readonly proxy: Proxy
  readonly holdfast: Holdfast
  readonly cache: Cache
}

/** A Redis for the tests of a file, and processes on it that end with each test. */
export interface Fleet {
  readonly redis: () => RedisServer
  /** What the keys of a test begin with. */
  readonly prefix: () => string
  start(options?: CacheOptions, own?: HoldfastOptions): Promise<Process>
}

export function fleetOfTests(): Fleet {
  let redis: RedisServer
  let run = 0
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => void run++)
  const prefix = (): string => `run${run}:`

  return {
    redis: () => redis,
    prefix,
    async start(options = {}, own = {}) {
      const proxy = await startProxy({ port: redis.port })
      const circuit = { recoveryJitter: 0 }
      const holdfast = createHoldfast({ redis: proxy.url, logger: false, circuit, ...own })
      onTestFinished(async () => {
        await holdfast.close()
        await proxy.close()
      })
      const cache = holdfast.cache({ prefix: prefix(), ...options })
      await holdfast.ready()
      if (options.near) await eventually(() => expect(cache.statistics().near.isOn).toBe(true))
      return { proxy, holdfast, cache }
    },
  }
}

export function degraded({ holdfast }: Process): Promise<void> {
  return eventually(() => expect(holdfast.state).toBe('degraded'))
}

export function healthy({ holdfast }: Process): Promise<void> {
  return eventually(() => expect(holdfast.state).toBe('healthy'))
}
