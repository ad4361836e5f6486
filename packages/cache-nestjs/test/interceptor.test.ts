import 'reflect-metadata'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { describe, expect, it } from 'vitest'
import { CacheInterceptor, CacheModule } from '../src/index.ts'
import { controllerOf, moduleOf, withServer, type Kit } from './kit.ts'

const kit = { common, core, adapter: ExpressAdapter as unknown as Kit['adapter'] }

/** What two requests come to whose key is this. */
async function answersFor(key: unknown): Promise<unknown> {
  let count = 0
  class Own extends CacheInterceptor {
    protected override trackBy(): string {
      return key as string
    }
  }
  common.Injectable()(Own)
  const controller = controllerOf(kit, '', { count: () => ++count }, {}, [common.UseInterceptors(Own)])
  const imports = [CacheModule.register({ redis: 'memory', logger: false })]
  return withServer(kit, moduleOf(kit, { imports, controllers: [controller] }), async (fetch) => [
    await fetch('/count'),
    await fetch('/count'),
  ])
}

describe('the header X-Cache', () => {
  it('is there for a number as a key, which is its text', async () => {
    expect(await answersFor(42)).toEqual([
      { status: 200, cache: 'MISS', body: '1' },
      { status: 200, cache: 'HIT', body: '1' },
    ])
  })

  it.each([
    ['an object', {}],
    ['a list', ['a']],
    ['text that is too long', 'x'.repeat(70_000)],
  ])('says MISS for what is no key: %s', async (_name, key) => {
    expect(await answersFor(key)).toEqual([
      { status: 200, cache: 'MISS', body: '1' },
      { status: 200, cache: 'MISS', body: '2' },
    ])
  })
})
