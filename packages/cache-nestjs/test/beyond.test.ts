import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import type { Holdfast } from '@holdfast/core'
import { session } from '@holdfast/session-express'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as cache from '../src/index.ts'
import * as terminus from '../src/terminus.ts'
import { moduleOf } from './kit.ts'
import { beyond, expected, type BeyondKit } from './beyond.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

describe('beyond a drop-in', () => {
  it.each(Object.keys(beyond))('%s', async (name) => {
    const adapter = ExpressAdapter as unknown as BeyondKit['adapter']
    const seen = await beyond[name]!({ common, core, cache, terminus, adapter, url: redis.url })
    expect(seen).toEqual(expected[name])
  })

  it('shares its Holdfast with the sessions', async () => {
    const module = moduleOf(
      { common },
      { imports: [cache.HoldfastModule.forRoot({ redis: redis.url, logger: false })] },
    )
    const app = await core.NestFactory.create(module, new ExpressAdapter(), { logger: false })
    const holdfast = app.get<Holdfast>(cache.HOLDFAST)
    app.use(session({ secret: 'a secret of the tests', holdfast }))
    app.use((req: { session: Record<string, unknown> }, res: { end(): void }) => {
      req.session['user'] = 'ada'
      res.end()
    })
    await app.listen(0, '127.0.0.1')
    const { headers } = await fetch(await app.getUrl())
    expect(headers.getSetCookie().map((line) => line.split('=')[0])).toContain('connect.sid')
    expect(await redis.control.command('KEYS', 'holdfast:session:*')).toHaveLength(1)
    await app.close()
    expect(() => holdfast.cache()).toThrow('This Holdfast is closed.')
  })
})
