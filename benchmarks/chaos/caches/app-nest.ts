// A Nest application with its cache module, asked over HTTP by a process of its own.
import 'reflect-metadata'
import {
  CACHE_MANAGER,
  CacheModule,
  HOLDFAST,
  HOLDFAST_CACHE,
  HoldfastModule,
  type Cache as CacheManager,
} from '@holdfast/cache-nestjs'
import type { Cache, Holdfast } from '@holdfast/core'
import { Controller, Get, Inject, Module, Param, Query } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database, Value } from './database.ts'
import type { Answer } from './http-caller.ts'
import { runUnderLoad } from './under-load.ts'

const DATABASE = Symbol('the database')

class ValuesController {
  readonly #cache: CacheManager
  readonly #database: Database

  constructor(cache: CacheManager, database: Database) {
    this.#cache = cache
    this.#database = database
  }

  async get(key: string): Promise<Answer> {
    return { value: await this.#cache.get<Value>(key) }
  }

  async make(key: string, ttl: string): Promise<Answer> {
    return { value: await this.#cache.wrap(key, () => this.#database.read(key), Number(ttl)) }
  }
}

class AppModule {}

// Decorators as functions: these files run as they are, without a compiler.
Controller()(ValuesController)
Inject(CACHE_MANAGER)(ValuesController, undefined, 0)
Inject(DATABASE)(ValuesController, undefined, 1)
for (const [name, route] of [
  ['get', 'values/:key'],
  ['make', 'made/:key'],
] as const) {
  const { prototype } = ValuesController
  Get(route)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!)
  Param('key')(prototype, name, 0)
}
Query('ttl')(ValuesController.prototype, 'make', 1)

await runUnderLoad(async ({ options, near, database }) => {
  Module({
    imports: [
      HoldfastModule.forRoot({ ...(await options()), cache: { near } }),
      CacheModule.register({ isGlobal: true }),
    ],
    controllers: [ValuesController],
    providers: [{ provide: DATABASE, useValue: database }],
  })(AppModule)
  const app = await NestFactory.create(AppModule, { logger: false })
  await app.listen(0, '127.0.0.1')
  const server = app.getHttpServer() as Server
  // Node closes what was idle for 5 s, perhaps just as the caller asks on it again: that failure would be nobody's here.
  server.keepAliveTimeout = 0
  const { port } = server.address() as AddressInfo

  const cache = app.get<CacheManager>(CACHE_MANAGER)
  return {
    holdfast: app.get<Holdfast>(HOLDFAST),
    cache: app.get<Cache>(HOLDFAST_CACHE),
    port,
    get: (key) => cache.get(key),
    getOrSet: (key, ttl) => cache.wrap(key, () => database.read(key), ttl),
  }
})
