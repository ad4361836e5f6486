import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as cache from '../src/index.ts'
import * as terminus from '../src/terminus.ts'
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
})
