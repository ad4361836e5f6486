import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import type { INestApplication } from '@nestjs/common'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApp, type Platform } from '../app.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const platforms: Platform[] = ['express', 'fastify']

let redis: RedisServer
beforeEach(async () => {
  redis = await startRedis()
})
afterEach(() => redis.stop())

interface Answer {
  readonly status: number
  readonly cache: string | null
  readonly body: any
  readonly took: number
}

describe.each(platforms)('the application on %s', (platform) => {
  let app: INestApplication
  let url: string

  beforeEach(async () => {
    app = await createApp(platform, { redis: redis.url, logger: false })
    await app.listen(0, '127.0.0.1')
    url = await app.getUrl()
  })
  afterEach(() => app.close())

  async function ask(path: string, method = 'GET'): Promise<Answer> {
    const began = performance.now()
    // A connection that is kept may be closed by a busy server just as it is used again.
    const response = await fetch(url + path, { method, headers: { connection: 'close' } })
    const body = await response.json()
    return {
      status: response.status,
      cache: response.headers.get('x-cache'),
      body,
      took: performance.now() - began,
    }
  }

  it('answers from the cache, and never what was before a change', async () => {
    let misses = 0
    await eventually(async () => {
      const { cache, body } = await ask('/products/1')
      expect(body).toMatchObject({ price: 120 })
      if (cache === 'MISS') misses++
      expect(cache).toBe('HIT')
    })
    expect(misses).toBeGreaterThan(0)
    const totals = await Promise.all(Array.from({ length: 20 }, () => ask('/total')))
    expect(new Set(totals.map(({ body }) => body.total))).toEqual(new Set([245]))
    expect((await ask('/total')).body.queries).toBe(misses + 1)
    expect(await ask('/products/1?price=100', 'PUT')).toMatchObject({ status: 200, body: { price: 100 } })
    expect(await ask('/products/1')).toMatchObject({ cache: 'MISS', body: { price: 100 } })
    expect((await ask('/total')).body).toMatchObject({ total: 225 })
    expect(await ask('/products/9')).toMatchObject({ status: 404 })
  })

  it('goes on when Redis is killed under load, says so, and caches again when it is back', async () => {
    const answers: Answer[] = []
    let isOver = false
    async function visitor(path: string): Promise<void> {
      while (!isOver) {
        answers.push(await ask(path))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const visitors = ['/products/1', '/products/2', '/total', '/products/3'].map(visitor)
    await eventually(async () => expect(await ask('/products/1')).toMatchObject({ cache: 'HIT' }))
    expect(await ask('/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { redis: { status: 'up' } } },
    })

    await redis.kill({ keepData: true })
    await eventually(async () =>
      expect(await ask('/health')).toMatchObject({
        status: 200,
        body: { status: 'degraded', details: { redis: { status: 'degraded', state: 'degraded' } } },
      }),
    )
    const before = answers.length
    await eventually(() => expect(answers.length).toBeGreaterThan(before + 40))
    expect(answers.slice(before + 10).filter(({ cache }) => cache === 'HIT')).toEqual([])
    expect(answers.slice(before + 10).some(({ cache }) => cache === 'MISS')).toBe(true)
    expect(await ask('/products/2?price=50', 'PUT')).toMatchObject({ status: 200 })

    await redis.restart()
    await eventually(async () => expect((await ask('/health')).body.status).toBe('ok'))
    await eventually(async () =>
      expect(await ask('/products/2')).toMatchObject({ cache: 'HIT', body: { price: 50 } }),
    )
    expect((await ask('/total')).body.total).toBe(250)
    isOver = true
    await Promise.all(visitors)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(Math.max(...answers.map(({ took }) => took))).toBeLessThan(2_000)
  })

  it('ends at SIGTERM by itself, and lets go of Redis', async () => {
    await compiled()
    const process_ = spawn(process.execPath, ['--conditions=@holdfast/source', 'dist/main.js'], {
      cwd: folder,
      env: { ...process.env, REDIS_URL: redis.url, PORT: '0', PLATFORM: platform },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(process_.stdout, 'data')) as [Buffer]
    const answer = await fetch(`${/http\S+/.exec(line.toString())![0]}/products/1`)
    expect(answer.headers.get('x-cache')).toBe('MISS')
    process_.kill('SIGTERM')
    expect(await once(process_, 'exit')).toEqual([null, 'SIGTERM'])
  })
})

let compiling: Promise<unknown> | undefined

/** Compiles the decorators, which Node cannot erase; the gate checks the types. */
function compiled(): Promise<unknown> {
  const tsc = join(folder, '../../node_modules/.bin', 'tsc')
  return (compiling ??= promisify(execFile)(tsc, ['-p', folder, '--noCheck']))
}
