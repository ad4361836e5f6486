import 'reflect-metadata'
import type { CacheOptions } from '@holdfast/core'
import { eventually, startRedis } from '@holdfast-internal/test-fixtures'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cached, HOLDFAST, HoldfastModule, InvalidateTags, type Holdfast } from '../src/index.ts'
import { decorate, moduleOf, withContext } from './kit.ts'

const kit = { common, core }

afterEach(() => vi.restoreAllMocks())

type Tags = readonly string[] | readonly [() => string | readonly string[] | null | undefined]

/** Gives a service whose `update` voids these tags; `runs` is cached under `users`. */
async function withService<T>(
  tags: Tags,
  use: (
    service: { runs(): Promise<number>; update(name: string): Promise<string> },
    holdfast: Holdfast,
  ) => Promise<T>,
  options: { redis?: string; cache?: CacheOptions } = {},
): Promise<T> {
  let runs = 0
  class Service {
    async runs(): Promise<number> {
      return ++runs
    }
    async update(name: string): Promise<string> {
      if (name === 'fail') throw new Error('the database')
      return `updated ${name}`
    }
  }
  decorate(Service.prototype, 'runs', Cached({ tags: ['users'] }))
  decorate(Service.prototype, 'update', InvalidateTags(...tags))
  const imports = [HoldfastModule.forRoot({ redis: 'memory', logger: false, ...options })]
  const module = moduleOf(kit, { imports, providers: [Service] })
  return withContext(kit, module, (context) => use(context.get(Service), context.get<Holdfast>(HOLDFAST)))
}

function errorsLogged() {
  return vi.spyOn(common.Logger, 'error').mockReturnValue(undefined)
}

describe('@InvalidateTags', () => {
  it.each<[string, Tags]>([
    ['a tag', ['others', 'users']],
    ['a function that gives one', [() => 'users']],
    ['a function that gives several', [() => ['others', 'users']]],
  ])('voids what is under its tags: %s', async (_name, tags) => {
    const logged = errorsLogged()
    await withService(tags, async (service) => {
      expect([await service.runs(), await service.runs()]).toEqual([1, 1])
      expect(await service.update('ada')).toBe('updated ada')
      expect(await service.runs()).toBe(2)
    })
    expect(logged).not.toHaveBeenCalled()
  })

  it.each<[string, Tags]>([
    ['no tags', []],
    ['undefined', [() => undefined]],
    ['null', [() => null]],
    ['an empty list', [() => []]],
  ])('voids nothing where nothing is given: %s', async (_name, tags) => {
    const logged = errorsLogged()
    await withService(tags, async (service) => {
      await service.runs()
      expect(await service.update('ada')).toBe('updated ada')
      expect(await service.runs()).toBe(1)
    })
    expect(logged).not.toHaveBeenCalled()
  })

  const wrong: [name: string, tagsOf: () => unknown][] = [
    ['empty text', () => ''],
    ['a number', () => 17],
    ['an object', () => ({ tag: 'users' })],
    ['text that is too long', () => 'secret'.repeat(50)],
    ['a promise', () => Promise.resolve('users')],
    [
      'an error',
      () => {
        throw new Error('secret')
      },
    ],
  ]
  it.each(wrong)('gives the result, and logs an error without values, for %s', async (_name, tagsOf) => {
    const logged = errorsLogged()
    await withService([tagsOf as () => string], async (service) => {
      await service.runs()
      expect(await service.update('secret')).toBe('updated secret')
      expect(await service.runs()).toBe(1)
    })
    expect(logged).toHaveBeenCalledTimes(1)
    expect(logged.mock.calls[0]![0]).toContain('Service.update has succeeded')
    expect(JSON.stringify(logged.mock.calls)).not.toContain('secret')
  })

  it('voids the tags beside what is none', async () => {
    const logged = errorsLogged()
    await withService([() => ['', 'users', undefined as never]], async (service) => {
      await service.runs()
      await service.update('ada')
      expect(await service.runs()).toBe(2)
    })
    expect(logged).toHaveBeenCalledTimes(1)
  })

  it('asks for no tags where the method fails', async () => {
    const tagsOf = vi.fn<() => string>(() => 'users')
    await withService([tagsOf], async (service) => {
      await service.runs()
      await expect(service.update('fail')).rejects.toThrow('the database')
      expect(await service.runs()).toBe(1)
    })
    expect(tagsOf).not.toHaveBeenCalled()
  })

  it('rejects under the rule "refuse" while Redis is away', async () => {
    const redis = await startRedis()
    await withService(
      ['users'],
      async (service, holdfast) => {
        await redis.kill()
        await eventually(async () => {
          await service.runs().catch(() => undefined)
          expect(holdfast.state).not.toBe('healthy')
        })
        await expect(service.update('ada')).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
      },
      { redis: redis.url, cache: { rule: 'refuse' } },
    )
    await redis.stop()
  })
})
