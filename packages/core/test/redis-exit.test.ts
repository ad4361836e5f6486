import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const opening = `
  import { Redis } from 'ioredis'
  import { createClient } from 'redis'
  import { redisBackendFrom } from '${new URL('../src/backend/redis/connect.ts', import.meta.url).href}'
  const url = process.argv[1]
  const ready = (backend) => new Promise((resolve) => backend.watch(({ status }) => status === 'ready' && resolve()))
  const lost = (backend) => new Promise((resolve) => backend.watch(({ status }) => status === 'lost' && resolve()))
`

/** Runs a script in a process of its own; gives its exit code, or `undefined` when it did not end in time. */
function run(script: string, url: string): Promise<number | undefined> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', opening + script, url], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: import.meta.dirname,
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve(undefined)
    }, 6_000)
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code ?? -1)
    })
  })
}

describe('a process', () => {
  it.each([
    ['a URL', `redisBackendFrom(url)`],
    ['node-redis', `redisBackendFrom(createClient({ url }))`],
  ])('ends once its backend from %s is closed', async (_, source) => {
    const script = `
      const backend = ${source}
      await ready(backend)
      await backend.subscribe('channel', () => {})
      await backend.close()`
    expect(await run(script, redis.url)).toBe(0)
  })

  it.each([
    ['a URL', `redisBackendFrom(url)`],
    ['node-redis', `redisBackendFrom(createClient({ url }))`],
  ])('ends once its backend from %s is closed while Redis is away', async (_, source) => {
    const script = `const backend = ${source}\nawait lost(backend)\nawait backend.close()`
    expect(await run(script, 'redis://127.0.0.1:1')).toBe(0)
  })

  it.each([
    ['ioredis', `const app = new Redis(url)`, `await app.quit()`],
    ['ioredis by force', `const app = new Redis(url)`, `app.disconnect()`],
    ['node-redis', `const app = await createClient({ url }).connect()`, `await app.close()`],
    ['node-redis by force', `const app = await createClient({ url }).connect()`, `app.destroy()`],
  ])('ends once the application ends its client of %s', async (_, client, end) => {
    const script = `${client}
      const backend = redisBackendFrom(app)
      await ready(backend)
      await backend.subscribe('channel', () => {})
      ${end}`
    expect(await run(script, redis.url)).toBe(0)
  })

  it.each([
    ['ioredis', `const app = new Redis(url)`, `app.disconnect()`],
    ['ioredis that gave up', `const app = new Redis(url, { retryStrategy: () => null })`, ``],
    ['node-redis', `const app = createClient({ url }); app.connect().catch(() => {})`, `app.destroy()`],
    [
      'node-redis that gave up',
      `const app = createClient({ url, socket: { reconnectStrategy: false } }); app.connect().catch(() => {})`,
      ``,
    ],
  ])('ends once the application ends its client of %s while Redis is away', async (_, client, end) => {
    const script = `${client}
      const backend = redisBackendFrom(app)
      await lost(backend)
      ${end}`
    expect(await run(script, 'redis://127.0.0.1:1')).toBe(0)
  })

  it('stays while a backend is open', async () => {
    expect(await run(`await ready(redisBackendFrom(url))`, redis.url)).toBeUndefined()
  })
})
