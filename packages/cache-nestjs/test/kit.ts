import type * as Common from '@nestjs/common'
import type * as Core from '@nestjs/core'
import type * as Reference from '@nestjs/cache-manager'
import { setTimeout as pause } from 'node:timers/promises'

/** What `@nestjs/cache-manager` exports, whoever exports it. */
export type DropIn = Pick<
  typeof Reference,
  'CACHE_MANAGER' | 'CacheInterceptor' | 'CacheKey' | 'CacheModule' | 'CacheTTL' | 'Cache'
>
export type Manager = Reference.Cache

/** A NestJS of some version and platform, and a cache module for it. */
export interface Kit {
  readonly common: typeof Common
  readonly core: typeof Core
  readonly cache: DropIn
  readonly adapter: new () => Common.HttpServer
}

export type Options = Parameters<DropIn['CacheModule']['register']>[0]

/** Throws instead of ending the process. */
const quiet = { logger: false, abortOnError: false } as const

type Class = new (...args: any[]) => any

/** A module that exists once; decorators are called, so that any Node can run this file as it is. */
export function moduleOf({ common }: Pick<Kit, 'common'>, metadata: Common.ModuleMetadata): Class {
  class AppModule {}
  common.Module(metadata)(AppModule)
  return AppModule
}

/** Starts an application without HTTP, and gives its cache manager to `use`. */
export async function withManager<T>(
  kit: Kit,
  options: Options | undefined,
  use: (manager: Manager, context: Common.INestApplicationContext) => Promise<T>,
): Promise<T> {
  const module = moduleOf(kit, { imports: [kit.cache.CacheModule.register(options)] })
  return withContext(kit, module, (context) => use(context.get(kit.cache.CACHE_MANAGER), context))
}

export async function withContext<T>(
  kit: Pick<Kit, 'core'>,
  module: Class,
  use: (context: Common.INestApplicationContext) => Promise<T>,
): Promise<T> {
  const context = await kit.core.NestFactory.createApplicationContext(module, quiet)
  try {
    await connected(context)
    return await use(context)
  } finally {
    await context.close()
  }
}

/**
 * Waits until ours, if it is there, has found its Redis, for a second at most: where a machine is busy, an application may come up
 * degraded, and keep nothing at first.
 */
async function connected(context: Common.INestApplicationContext): Promise<void> {
  for (const until = performance.now() + 1_000; performance.now() < until; await pause(5)) {
    try {
      if (context.get<{ state: string }>('HOLDFAST', { strict: false }).state === 'healthy') return
    } catch {
      return
    }
  }
}

/** What came back from an HTTP request. */
export interface Answer {
  readonly status: number
  readonly cache: string | null
  readonly body: string
}

export type Fetch = (path: string, method?: string) => Promise<Answer>

/** Starts an application with HTTP, and gives what asks it to `use`. */
export async function withServer<T>(
  kit: Pick<Kit, 'core' | 'adapter'>,
  module: Class,
  use: (fetch: Fetch) => Promise<T>,
): Promise<T> {
  const app = await kit.core.NestFactory.create(module, new kit.adapter() as never, quiet)
  await app.listen(0, '127.0.0.1')
  await connected(app)
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1')
  try {
    return await use(async (path, method = 'GET') => {
      const response = await fetch(url + path, { method, headers: { connection: 'close' } })
      const answer = {
        status: response.status,
        cache: response.headers.get('x-cache'),
        body: await response.text(),
      }
      // What is kept is kept after the answer.
      await pause(15)
      return answer
    })
  } finally {
    await app.close()
  }
}

/** Makes a class a controller whose methods answer at paths. */
export function controllerOf(
  { common }: Pick<Kit, 'common'>,
  base: string,
  methods: Readonly<Record<string, (...args: any[]) => unknown>>,
  decorators: Readonly<Record<string, readonly MethodDecorator[]>> = {},
  classDecorators: readonly ClassDecorator[] = [],
): Class {
  class AppController {}
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(AppController.prototype, name, { value, configurable: true, writable: true })
    const descriptor = Object.getOwnPropertyDescriptor(AppController.prototype, name)!
    for (const decorate of [common.Get(name), ...(decorators[name] ?? [])])
      decorate(AppController.prototype, name, descriptor)
    Object.defineProperty(AppController.prototype, name, descriptor)
  }
  for (const decorate of [common.Controller(base), ...classDecorators]) decorate(AppController)
  return AppController
}

/** Puts a decorator on a method, as the syntax for it does. */
export function decorate<Prototype extends object>(
  prototype: Prototype,
  name: keyof Prototype & string,
  decorator: (target: object, name: string, descriptor: TypedPropertyDescriptor<any>) => void,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!
  decorator(prototype, name, descriptor)
  Object.defineProperty(prototype, name, descriptor)
}

/** Shows what JSON would hide. */
export function shown(value: unknown): unknown {
  return value === undefined ? '(undefined)' : value
}
