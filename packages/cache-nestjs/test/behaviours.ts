import type { ExecutionContext } from '@nestjs/common'
import { setTimeout as pause } from 'node:timers/promises'
import {
  controllerOf,
  moduleOf,
  shown,
  withContext,
  withManager,
  withServer,
  type Fetch,
  type Kit,
  type Manager,
  type Options,
} from './kit.ts'

/** What an application sees of its cache. The same code runs against `@nestjs/cache-manager` and against ours. */
export const behaviours: Readonly<Record<string, (kit: Kit) => Promise<unknown>>> = {
  'a miss, values, and what writing gives': (kit) =>
    withManager(kit, undefined, async (cache) => ({
      miss: shown(await cache.get('nothing')),
      set: await cache.set('a', { b: [1, 'two', null] }),
      get: await cache.get('a'),
      falsy: await all([0, false, '', null], async (value) => {
        await cache.set('falsy', value)
        return cache.get('falsy')
      }),
      undefined: [shown(await cache.set('none', undefined)), shown(await cache.get('none'))],
      del: [await cache.del('a'), await cache.del('a'), shown(await cache.get('a'))],
    })),

  'Buffers within values': (kit) =>
    withManager(kit, undefined, async (cache) => {
      const body = Buffer.from([1, 2, 255])
      const value = { type: 'image/png', body, all: [[body], ':text'], ':key': ':base64:AQ==' }
      const made = await cache.wrap('wrapped', () => value)
      await cache.set('set', value)
      await cache.mset([{ key: 'mset', value: [body] }])
      const [store] = cache.stores
      return {
        made: bytesShown(made),
        wrap: bytesShown(await cache.wrap('wrapped', () => value)),
        raw: bytesShown((await cache.wrap('wrapped', () => value, { raw: true }))?.value),
        get: bytesShown(await cache.get('set')),
        mget: (await cache.mget(['mset', 'nothing'])).map(bytesShown),
        store: bytesShown(await store!.get('set')),
      }
    }),

  'several at once, and all': (kit) =>
    withManager(kit, { ttl: 90_000 }, async (cache) => ({
      mset: await cache.mset([
        { key: 'a', value: 1 },
        { key: 'b', value: 2, ttl: 60_000 },
        { key: 'c', value: 3, ttl: 0 },
      ]),
      mget: (await cache.mget(['a', 'nothing', 'b'])).map(shown),
      ttls: [await minutes(cache, 'a'), await minutes(cache, 'b'), await minutes(cache, 'c')],
      mdel: [await cache.mdel(['a', 'nothing']), (await cache.mget(['a', 'b'])).map(shown)],
      clear: [await cache.clear(), (await cache.mget(['b', 'c'])).map(shown)],
    })),

  'ttls, in milliseconds': (kit) =>
    withManager(kit, undefined, async (cache) => {
      await cache.set('none', 1)
      await cache.set('zero', 1, 0)
      await cache.set('minute', 1, 60_000)
      await cache.set('fraction', 1, 60_000.5)
      await cache.set('ages', 1, Number.MAX_SAFE_INTEGER)
      await cache.set('short', 1, 60)
      await cache.set('over', 1, 60_000)
      await cache.set('over', 1, -1)
      const before = {
        ttls: await all(['none', 'zero', 'minute', 'fraction', 'nothing'], (key) => minutes(cache, key)),
        short: await cache.get('short'),
      }
      await pause(120)
      return {
        before,
        after: (await cache.mget(['none', 'zero', 'minute', 'ages', 'short', 'over'])).map(shown),
      }
    }),

  'the ttl of the module': (kit) =>
    withManager(kit, { ttl: 60 }, async (cache) => {
      await cache.set('short', 1)
      await cache.set('long', 1, 60_000)
      await cache.set('endless', 1, 0)
      await cache.wrap('wrapped', () => 1)
      await pause(120)
      return (await cache.mget(['short', 'long', 'endless', 'wrapped'])).map(shown)
    }),

  'wrap: one run, results, errors': (kit) =>
    withManager(kit, undefined, async (cache) => {
      const ok = counted(() => 'value')
      const slow = counted(() => pause(30, 'slow'))
      const fails = counted(() => Promise.reject(new Error('the database')))
      const absent = counted(() => undefined)
      const nothing = counted(() => null)
      return {
        ok: [await cache.wrap('ok', ok), await cache.wrap('ok', ok), ok.runs()],
        together: [
          await Promise.all(Array.from({ length: 10 }, () => cache.wrap('slow', slow))),
          slow.runs(),
        ],
        fails: [
          await failure(cache.wrap('fails', fails)),
          await failure(cache.wrap('fails', fails)),
          fails.runs(),
        ],
        absent: [
          shown(await cache.wrap('absent', absent)),
          shown(await cache.wrap('absent', absent)),
          absent.runs(),
        ],
        null: [await cache.wrap('null', nothing), await cache.wrap('null', nothing), nothing.runs()],
      }
    }),

  'wrap: ttls and options': (kit) =>
    withManager(kit, { ttl: 120_000 }, async (cache) => {
      await cache.wrap('number', () => 1, 60_000)
      await cache.wrap(
        'function',
        (): number => 3,
        (value) => value * 60_000,
      )
      await cache.wrap('usual', () => 1)
      await cache.wrap('object', () => 1, { ttl: 240_000 })
      await cache.wrap('object of a function', (): number => 5, { ttl: (value) => value * 60_000 })
      await cache.wrap('endless', () => 1, 0)
      await cache.wrap(
        'endless by a function',
        () => 1,
        () => 0,
      )
      const keys = [
        'number',
        'function',
        'usual',
        'object',
        'object of a function',
        'endless',
        'endless by a function',
      ]
      const ttls = await all(keys, (key) => minutes(cache, key))
      const made = await cache.wrap('raw', () => 'new', { ttl: 60_000, raw: true })
      const there = await cache.wrap('raw', () => 'newer', { ttl: 60_000, raw: true })
      return { ttls, raw: [made?.value, there?.value, inMinutes(made?.expires), inMinutes(there?.expires)] }
    }),

  'wrap: refreshing before the end': async (kit) => ({
    argument: await refreshing(kit, undefined, (cache, key, fnc) => cache.wrap(key, fnc, 60_000, 90_000)),
    options: await refreshing(kit, undefined, (cache, key, fnc) =>
      cache.wrap(key, fnc, { ttl: 60_000, refreshThreshold: () => 90_000 }),
    ),
    module: await refreshing(kit, { refreshThreshold: 90_000 }, (cache, key, fnc) =>
      cache.wrap(key, fnc, 60_000),
    ),
    'not yet': await refreshing(kit, { refreshThreshold: 30_000 }, (cache, key, fnc) =>
      cache.wrap(key, fnc, 60_000),
    ),
    endless: await refreshing(kit, { refreshThreshold: 30_000 }, (cache, key, fnc) => cache.wrap(key, fnc)),
  }),

  events: (kit) =>
    withManager(kit, undefined, async (cache) => {
      const heard: unknown[] = []
      const names = ['get', 'mget', 'set', 'mset', 'del', 'mdel', 'clear'] as const
      for (const name of names) cache.on(name as 'set', (data) => heard.push([name, shown(data)]))
      await cache.get('a')
      await cache.set('a', 1)
      await cache.get('a')
      await cache.mset([{ key: 'b', value: 2, ttl: 1_000 }])
      await cache.mget(['a', 'b', 'c'])
      await cache.wrap('w', () => 3)
      await cache.del('a')
      await cache.mdel(['b'])
      await cache.clear()
      const listener = (): void => void heard.push('not heard')
      cache.on('set', listener)
      cache.off('set', listener)
      await cache.set('z', 1)
      return heard
    }),

  'its own id, and one store': (kit) =>
    withManager(kit, undefined, async (cache) => {
      const [store] = cache.stores
      await cache.set('a', 1, 60_000)
      const heard = listening(store!)
      store!.on('error', () => undefined)
      const raw = await store!.get('a', { raw: true })
      return {
        id: [typeof cache.cacheId(), cache.cacheId() === cache.cacheId()],
        stores: cache.stores.length,
        get: [await store!.get('a'), shown(await store!.get('nothing')), raw?.value, inMinutes(raw?.expires)],
        has: [await store!.has('a'), await store!.has('nothing')],
        set: [await store!.set('b', 2), await cache.get('b')],
        getMany: (await store!.getMany(['a', 'nothing', 'b'])).map(shown),
        setMany: [
          await store!.setMany([
            { key: 'c', value: 3 },
            { key: 'd', value: 4, ttl: 60_000 },
          ]),
          await minutes(cache, 'c'),
          await minutes(cache, 'd'),
        ],
        hasMany: await store!.hasMany(['c', 'nothing', 'd']),
        deleteMany: [await store!.deleteMany(['c', 'd']), await store!.hasMany(['c', 'd'])],
        heard,
        delete: [await store!.delete('a'), await store!.delete('a'), shown(await cache.get('a'))],
        clear: [shown(await store!.clear()), shown(await cache.get('b'))],
        disconnect: shown(await cache.disconnect()),
      }
    }),

  'the module: registered by options, factories and classes': async (kit) => {
    const { CacheModule, CACHE_MANAGER, Cache } = kit.cache
    const { common } = kit
    const ttlOf = async (module: Parameters<typeof withContext>[1]): Promise<unknown> =>
      withContext(kit, module, async (context) => {
        const cache = context.get<Manager>(CACHE_MANAGER, { strict: false })
        await cache.set('key', 1)
        return minutes(cache, 'key')
      })

    const TTL = 'TTL'
    const settings = moduleOf(kit, { providers: [{ provide: TTL, useValue: 180_000 }], exports: [TTL] })
    class Factory {
      readonly ttl: number | undefined
      constructor(ttl: number | undefined) {
        this.ttl = ttl
      }
      createCacheOptions(): { ttl: number } {
        return { ttl: this.ttl ?? 240_000 }
      }
    }
    common.Injectable()(Factory)
    common.Optional()(Factory, undefined, 0)
    common.Inject(TTL)(Factory, undefined, 0)
    const factories = moduleOf(kit, { providers: [Factory], exports: [Factory] })

    class Feature {
      readonly caches: readonly unknown[]
      constructor(...caches: readonly unknown[]) {
        this.caches = caches
      }
    }
    common.Injectable()(Feature)
    common.Inject('CACHE_MANAGER')(Feature, undefined, 0)
    common.Inject(Cache)(Feature, undefined, 1)
    const feature = moduleOf(kit, { providers: [Feature] })

    return {
      token: CACHE_MANAGER,
      register: await ttlOf(moduleOf(kit, { imports: [CacheModule.register({ ttl: 60_000 })] })),
      useFactory: await ttlOf(
        moduleOf(kit, {
          imports: [
            CacheModule.registerAsync({
              imports: [settings],
              inject: [TTL],
              useFactory: async (ttl: number) => ({ ttl }),
            }),
          ],
        }),
      ),
      useClass: await ttlOf(moduleOf(kit, { imports: [CacheModule.registerAsync({ useClass: Factory })] })),
      useExisting: await ttlOf(
        moduleOf(kit, {
          imports: [CacheModule.registerAsync({ imports: [factories], useExisting: Factory })],
        }),
      ),
      extraProviders: await ttlOf(
        moduleOf(kit, {
          imports: [
            CacheModule.registerAsync({
              inject: [TTL],
              useFactory: (ttl: number) => ({ ttl }),
              extraProviders: [{ provide: TTL, useValue: 300_000 }],
            }),
          ],
        }),
      ),
      isGlobal: await all(
        [
          CacheModule.register({ isGlobal: true }),
          CacheModule.registerAsync({ isGlobal: true, useFactory: () => ({}) }),
        ],
        (dynamic) =>
          withContext(kit, moduleOf(kit, { imports: [dynamic, feature] }), async (context) => {
            const { caches } = context.get(Feature, { strict: false })
            return [caches.length, caches[0] === caches[1], caches[0] === context.get(CACHE_MANAGER)]
          }),
      ),
      // Nest closes nothing that has not come up: there is nothing to be closed.
      'not global': await failure(
        withContext(
          kit,
          moduleOf(kit, { imports: [CacheModule.register({ redis: 'memory' }), feature] }),
          async () => 'no error',
        ),
      ).then((text) => text.includes('CACHE_MANAGER')),
    }
  },

  'the interceptor: what is cached, and its header': (kit) => {
    const { CacheInterceptor, CacheKey, CacheTTL } = kit.cache
    let count = 0
    const counting = () => (): unknown => ({ count: ++count })
    const methods = {
      plain: counting(),
      text: () => `text ${++count}`,
      null: () => (++count, null),
      fails() {
        count++
        throw new kit.common.HttpException('teapot', 418)
      },
      file: () => new kit.common.StreamableFile(Buffer.from(`file ${++count}`)),
      keyed: counting(),
      'keyed-too': counting(),
      asked: counting(),
      short: counting(),
      'short-by-function': counting(),
      promised: () => pause(5, { count: ++count }),
      posted: counting(),
    }
    const controller = controllerOf(
      kit,
      'a',
      methods,
      {
        posted: [kit.common.Post('plain')],
        keyed: [CacheKey('shared')],
        'keyed-too': [CacheKey('shared')],
        asked: [CacheKey((context) => keyOf(context.switchToHttp().getRequest().url))],
        short: [CacheTTL(400)],
        'short-by-function': [CacheTTL(async () => 400)],
      },
      [kit.common.UseInterceptors(CacheInterceptor)],
    )
    const module = moduleOf(kit, { imports: [kit.cache.CacheModule.register()], controllers: [controller] })
    return withServer(kit, module, async (fetch) => ({
      'a URL': await twice(fetch, '/a/plain'),
      'another query': await twice(fetch, '/a/plain?page=2'),
      'a POST': await twice(fetch, '/a/plain', 'POST'),
      text: await twice(fetch, '/a/text'),
      null: await twice(fetch, '/a/null'),
      'an error': await twice(fetch, '/a/fails'),
      'a file': await twice(fetch, '/a/file'),
      'a promise': await twice(fetch, '/a/promised'),
      'one key for two': [await fetch('/a/keyed'), await fetch('/a/keyed-too?whatever')],
      'a key by a function': [
        await fetch('/a/asked?key=1&x'),
        await fetch('/a/asked?key=1&y'),
        await fetch('/a/asked'),
      ],
      'a ttl': await twice(fetch, '/a/short'),
      'a ttl by a function': await twice(fetch, '/a/short-by-function'),
      'after them': [await pause(450), await fetch('/a/short'), await fetch('/a/short-by-function')].slice(1),
    }))
  },

  'the interceptor: of the whole application, overridden': (kit) => {
    const { CacheInterceptor, CacheModule, CacheTTL, CACHE_MANAGER } = kit.cache
    const { common, core } = kit
    let count = 0

    class Own extends CacheInterceptor {
      protected override allowedMethods = ['GET', 'POST']
      protected override trackBy(context: ExecutionContext): string | undefined {
        const request = context.switchToHttp().getRequest<{ url: string; headers: Record<string, string> }>()
        if (request.url.includes('private')) return undefined
        return this.isRequestCacheable(context) ? request.url.split('?')[0] : undefined
      }
    }
    common.Injectable()(Own)
    const controller = controllerOf(
      kit,
      'b',
      { plain: () => ++count, private: () => ++count, ended: () => ++count },
      { ended: [CacheTTL(60_000)] },
      [CacheTTL(400)],
    )
    const module = moduleOf(kit, {
      imports: [CacheModule.register({ isGlobal: true })],
      controllers: [controller],
      providers: [{ provide: core.APP_INTERCEPTOR, useClass: Own }],
    })
    return withServer(kit, module, async (fetch) => [
      CACHE_MANAGER,
      await fetch('/b/plain?a'),
      await fetch('/b/plain?b'),
      await twice(fetch, '/b/private'),
      await twice(fetch, '/b/ended'),
      await pause(450),
      await fetch('/b/plain'),
      await fetch('/b/ended'),
    ])
  },
}

/** What listeners of a store hear of what the application emits itself. */
function listening(store: Manager['stores'][number]): unknown {
  const heard: unknown[] = []
  const listener = (...data: unknown[]): void => void heard.push(['on', ...data])
  store.on('own', listener)
  store.once('own', (...data) => heard.push(['once', ...data]))
  store.emit('own', 1, 2)
  store.emit('own', 3)
  store.off('own', listener)
  store.emit('own', 4)
  store.emit('error', new Error('nobody listens'))
  return heard
}

/** The interceptor waits for no write, so that an answer may be there before it is stored. */
const written = 30

async function twice(fetch: Fetch, path: string, method?: string): Promise<unknown> {
  const first = await fetch(path, method)
  await pause(written, undefined)
  return [first, await fetch(path, method)]
}

/** Keys of their own: who refreshes an entry keeps others from doing so for a while. */
let keys = 0

async function refreshing(
  kit: Kit,
  options: Options,
  wrap: (cache: Manager, key: string, fnc: () => number) => Promise<number>,
): Promise<unknown> {
  return withManager(kit, options, async (cache) => {
    const key = `key ${++keys}`
    const fnc = counted((run) => run)
    const heard: unknown[] = []
    for (const name of ['set', 'refresh'] as const) cache.on(name, ({ value }) => heard.push([name, value]))
    const first = await wrap(cache, key, fnc)
    await pause(5)
    const second = await wrap(cache, key, fnc)
    await pause(60)
    return { first, second, runs: fnc.runs(), now: await cache.get(key), heard }
  })
}

/** A value as JSON, with what is a Buffer named. */
function bytesShown(value: unknown): string | undefined {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, json: unknown) {
    const given = this[key]
    return Buffer.isBuffer(given) ? `<Buffer ${given.toString('hex')}>` : json
  })
}

/** A function that counts its runs. */
function counted<T>(fnc: (run: number) => T): (() => T) & { runs(): number } {
  let runs = 0
  return Object.assign(() => fnc(++runs), { runs: () => runs })
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  )
}

async function all<T, R>(values: readonly T[], run: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const value of values) results.push(await run(value))
  return results
}

/** How long an entry has to live, in minutes, as clocks differ by less. */
async function minutes(cache: Manager, key: string): Promise<unknown> {
  return inMinutes(await cache.ttl(key))
}

function inMinutes(expires: number | undefined): unknown {
  return expires === undefined ? '(undefined)' : Math.round((expires - Date.now()) / 6_000) / 10
}

function keyOf(url: string): string | undefined {
  return /key=(\w+)/.exec(url)?.[1]
}
