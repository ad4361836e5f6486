import 'reflect-metadata'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { describe, expect, it } from 'vitest'
import { Cached, HoldfastModule, type AsyncMethodDecorator } from '../src/index.ts'
import { decorate, moduleOf, withContext } from './kit.ts'

const kit = { common, core }

/** Gives what Nest makes of the classes, with a cache in memory. */
async function withProviders<T, Classes extends readonly (new () => unknown)[]>(
  classes: Classes,
  use: (...instances: { [I in keyof Classes]: InstanceType<Classes[I]> }) => Promise<T>,
): Promise<T> {
  const imports = [HoldfastModule.forRoot({ redis: 'memory', logger: false })]
  const module = moduleOf(kit, { imports, providers: [...classes] })
  return withContext(kit, module, (context) => use(...(classes.map((one) => context.get(one)) as never)))
}

/** A class with a method that counts its runs. */
function countingClass(decorator: AsyncMethodDecorator = Cached()) {
  let runs = 0
  class Counting {
    async count(..._args: unknown[]): Promise<number> {
      return ++runs
    }
  }
  decorate(Counting.prototype, 'count', decorator)
  return Counting
}

/** A class to be inherited from, and two that do. */
function repositories() {
  abstract class Repository {
    abstract readonly table: string
    async find(id: number): Promise<string> {
      return `${this.table} ${id}`
    }
  }
  class Users extends Repository {
    readonly table = 'users'
  }
  class Posts extends Repository {
    readonly table = 'posts'
  }
  decorate(Repository.prototype, 'find', Cached())
  return { Users, Posts }
}

describe('the key of @Cached', () => {
  it.each([
    ['by default', Cached()],
    ['behind a text', Cached({ key: 'count' })],
  ])('tells arguments apart that JSON does not: %s', (_name, decorator) =>
    withProviders([countingClass(decorator)], async (service) => {
      const calls = [
        [],
        [undefined],
        [null],
        [Number.NaN],
        [Infinity],
        [{}],
        [{ a: undefined }],
        [5n],
        ['5n'],
      ]
      const first = []
      for (const args of calls) first.push(await service.count(...args))
      expect(first).toEqual(calls.map((_args, i) => i + 1))
      for (const [i, args] of calls.entries()) expect(await service.count(...args)).toBe(first[i])
    }),
  )

  it.each([
    ['a Map', new Map()],
    ['a function', () => 1],
    ['an Error', new Error('any')],
  ])('refuses arguments that cannot be told apart, and does not run: %s', (_name, argument) =>
    withProviders([countingClass()], async (service) => {
      await expect(service.count({ argument })).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_KEY',
        message: expect.stringContaining('give a key function') as string,
      })
      expect(await service.count()).toBe(1)
    }),
  )

  it('takes any arguments by a function', () =>
    withProviders(
      [countingClass(Cached<[Map<string, number>]>({ key: (map) => [...map.keys()].join() }))],
      async (service) => {
        expect(await service.count(new Map([['a', 1]]))).toBe(1)
        expect(await service.count(new Map([['b', 1]]))).toBe(2)
        expect(await service.count(new Map([['a', 2]]))).toBe(1)
      },
    ))

  it('keeps two classes apart that inherit a method', () => {
    const { Users, Posts } = repositories()
    return withProviders([Users, Posts], async (users, posts) => {
      expect([await users.find(1), await posts.find(1)]).toEqual(['users 1', 'posts 1'])
      expect([await users.find(1), await posts.find(1)]).toEqual(['users 1', 'posts 1'])
    })
  })

  it('is another for a method and for the one that it overrides and calls', () => {
    const { Users } = repositories()
    class Admins extends Users {
      override async find(id: number): Promise<string> {
        return `admin of ${await super.find(id)}`
      }
    }
    decorate(Admins.prototype, 'find', Cached())
    return withProviders([Admins, Users], async (admins, users) => {
      expect([await admins.find(1), await users.find(1)]).toEqual(['admin of users 1', 'users 1'])
      expect([await admins.find(1), await users.find(1)]).toEqual(['admin of users 1', 'users 1'])
    })
  })

  it('has to be given in a class without a name', () => {
    const { Users } = repositories()
    return withProviders([(() => class extends Users {})()], async (nameless) => {
      await expect(nameless.find(1)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_KEY' })
    })
  })
})
