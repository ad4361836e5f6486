import { createHoldfast } from '@holdfast/core'
import type * as Ours from '../src/index.ts'
import type * as Terminus from '../src/terminus.ts'
import { controllerOf, decorate, moduleOf, shown, withContext, withServer, type Kit } from './kit.ts'

/** A NestJS of some version, with ours. */
export interface BeyondKit extends Omit<Kit, 'cache'> {
  readonly cache: typeof Ours
  readonly terminus: typeof Terminus
  readonly url: string
}

/** What is there beyond `@nestjs/cache-manager`, and what an application sees of it. The same code runs on each NestJS. */
export const beyond: Readonly<Record<string, (kit: BeyondKit) => Promise<unknown>>> = {
  'cached methods, and tags that void them': (kit) => {
    const users = usersOf(kit)
    const module = moduleOf(kit, { imports: [forRoot(kit)], providers: [users] })
    return withContext(kit, module, async (context) => {
      const service = context.get(users)
      return {
        byArguments: [await service.find('ada'), await service.find('ada'), await service.find('bob')],
        together: await Promise.all([service.find('eve'), service.find('eve'), service.find('eve')]),
        byKey: [await service.count({ any: 1 }), await service.count({ any: 2 })],
        failed: await service.rename('ada', 'fail').catch(({ message }: Error) => message),
        kept: await service.find('ada'),
        renamed: await service.rename('ada', 'Ada'),
        void: [await service.find('ada'), await service.find('bob')],
        all: [await service.forget(), await service.find('bob'), await service.count({ any: 3 })],
        byHand: await new users().find('ada'),
      }
    })
  },

  'cached routes': (kit) => {
    const { Cached } = kit.cache
    let runs = 0
    const controller = controllerOf(
      kit,
      'routes',
      { cached: async () => ({ runs: ++runs }) },
      { cached: [Cached({ key: 'cached' }) as MethodDecorator, kit.common.HttpCode(202)] },
    )
    const module = moduleOf(kit, { imports: [forRoot(kit)], controllers: [controller] })
    return withServer(kit, module, async (fetch) => [
      await fetch('/routes/cached'),
      await fetch('/routes/cached'),
    ])
  },

  'one Holdfast for all': async (kit) => {
    const { CacheModule, CACHE_MANAGER, HOLDFAST, HOLDFAST_CACHE } = kit.cache
    const module = moduleOf(kit, {
      imports: [forRoot(kit), CacheModule.register({ ttl: 60_000 })],
    })
    const own = moduleOf(kit, {
      imports: [forRoot(kit), CacheModule.register({ namespace: 'own', near: true })],
    })
    return withContext(kit, module, async (context) => {
      const cache = context.get<Ours.CacheManager>(CACHE_MANAGER)
      const engine = context.get(HOLDFAST_CACHE)
      await cache.set('a', 1)
      return withContext(kit, own, async (other) => ({
        ofTheEngine: await engine.get('a'),
        modules: context.get(HOLDFAST, { strict: false, each: true }).length > 0,
        own: shown(await other.get<Ours.CacheManager>(CACHE_MANAGER, { strict: false }).get('a')),
      }))
    })
  },

  'options by factories and classes': async (kit) => {
    const { HoldfastModule, HOLDFAST } = kit.cache
    const { url: redis } = kit
    class Factory {
      createHoldfastOptions(): Ours.HoldfastModuleOptions {
        return { redis, logger: false, prefix: 'by-class' }
      }
    }
    kit.common.Injectable()(Factory)
    const prefixOf = (dynamic: ReturnType<typeof HoldfastModule.forRoot>): Promise<unknown> =>
      withContext(kit, moduleOf(kit, { imports: [dynamic] }), async (context) => context.get(HOLDFAST).prefix)
    return [
      await prefixOf(HoldfastModule.forRootAsync({ useClass: Factory })),
      await prefixOf(
        HoldfastModule.forRootAsync({
          inject: ['PREFIX'],
          provideInjectionTokensFrom: [{ provide: 'PREFIX', useValue: 'by-factory' }],
          useFactory: (prefix: string) => ({ redis, logger: false, prefix }),
        }),
      ),
    ]
  },

  'closes what it made, and only that': async (kit) => {
    const { HoldfastModule, CacheModule, HOLDFAST } = kit.cache
    const own = await withContext(kit, moduleOf(kit, { imports: [forRoot(kit)] }), async (context) =>
      context.get(HOLDFAST),
    )
    const given = createHoldfast({ redis: kit.url, logger: false })
    const imports = [HoldfastModule.forRoot({ holdfast: given }), CacheModule.register({ holdfast: given })]
    await withContext(kit, moduleOf(kit, { imports }), async () => undefined)
    const isOpen = (holdfast: typeof given): string => {
      try {
        holdfast.cache({ prefix: 'any:' })
        return 'open'
      } catch (error) {
        return (error as Error).message
      }
    }
    const seen = [isOpen(own), isOpen(given)]
    await given.close()
    return seen
  },

  health: (kit) => {
    const { HoldfastHealthIndicator } = kit.terminus
    const module = moduleOf(kit, { imports: [forRoot(kit)], providers: [HoldfastHealthIndicator] })
    return withContext(kit, module, async (context) => {
      const { status, state, backend, degraded } = context.get(HoldfastHealthIndicator).check('cache').cache
      return { status, state, backend, degraded }
    })
  },
}

/** What an application sees, on each NestJS. */
export const expected: Readonly<Record<keyof typeof beyond, unknown>> = {
  'cached methods, and tags that void them': {
    byArguments: ['ada 1', 'ada 1', 'bob 2'],
    together: ['eve 3', 'eve 3', 'eve 3'],
    byKey: [4, 4],
    failed: 'the database',
    kept: 'ada 1',
    renamed: 'Ada',
    void: ['ada 5', 'bob 2'],
    all: [undefined, 'bob 6', 7],
    byHand: 'ada 8',
  },
  'cached routes': [
    { status: 202, cache: null, body: '{"runs":1}' },
    { status: 202, cache: null, body: '{"runs":1}' },
  ],
  'one Holdfast for all': { ofTheEngine: 1, modules: true, own: '(undefined)' },
  'options by factories and classes': ['by-class', 'by-factory'],
  'closes what it made, and only that': ['This Holdfast is closed.', 'open'],
  health: { status: 'up', state: 'healthy', backend: 'redis', degraded: 'nothing' },
}

function forRoot(kit: BeyondKit): ReturnType<typeof Ours.HoldfastModule.forRoot> {
  return kit.cache.HoldfastModule.forRoot({ redis: kit.url, logger: false })
}

interface Users {
  find(name: string): Promise<string>
  count(filter: object): Promise<number>
  rename(name: string, to: string): Promise<string>
  forget(): Promise<void>
}

function usersOf({ common, cache }: BeyondKit): new () => Users {
  const { Cached, InvalidateTags } = cache
  let runs = 0
  class UsersOfTests implements Users {
    async find(name: string): Promise<string> {
      return `${name} ${++runs}`
    }
    async count(_filter: object): Promise<number> {
      return ++runs
    }
    async rename(_name: string, to: string): Promise<string> {
      if (to === 'fail') throw new Error('the database')
      return to
    }
    async forget(): Promise<void> {}
  }
  common.Injectable()(UsersOfTests)
  const { prototype } = UsersOfTests
  decorate(
    prototype,
    'find',
    Cached({ ttl: '1m', tags: (_value: string, name: string) => ['users', `user:${name}`] }),
  )
  decorate(prototype, 'count', Cached({ key: () => 'count', tags: ['users'] }))
  decorate(
    prototype,
    'rename',
    InvalidateTags((_renamed: string, name: string) => `user:${name}`),
  )
  decorate(prototype, 'forget', InvalidateTags('users', 'others'))
  return UsersOfTests
}
