import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import * as reference from '@nestjs/cache-manager'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as ours from '../src/index.ts'
import { behaviours } from './behaviours.ts'
import type { DropIn, Kit } from './kit.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
  process.env['REDIS_URL'] = redis.url
})

afterAll(async () => {
  delete process.env['REDIS_URL']
  await redis.stop()
})

beforeEach(async () => {
  await redis.control.command('FLUSHALL')
})

const platforms = { Express: ExpressAdapter, Fastify: FastifyAdapter } as unknown as Record<
  string,
  Kit['adapter']
>

describe('what an application sees is what it saw of @nestjs/cache-manager', () => {
  it('exports the same names', () => {
    expect(Object.keys(ours)).toEqual(expect.arrayContaining(Object.keys(reference)))
    const { CACHE_MANAGER, CACHE_KEY_METADATA, CACHE_TTL_METADATA, CACHE_MODULE_OPTIONS } = reference
    expect(ours).toMatchObject({
      CACHE_MANAGER,
      CACHE_KEY_METADATA,
      CACHE_TTL_METADATA,
      CACHE_MODULE_OPTIONS,
    })
  })

  describe.each(Object.keys(platforms))('%s', (platform) => {
    it.each(
      Object.keys(behaviours).filter((name) => platform === 'Express' || name.startsWith('the interceptor')),
    )('%s', async (name) => {
      const kit = { common, core, adapter: platforms[platform]! }
      const seen = await behaviours[name]!({ ...kit, cache: ours as unknown as DropIn })
      expect(seen).toEqual(await behaviours[name]!({ ...kit, cache: reference }))
    })
  })
})
