import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
  type DynamicModule,
} from '@nestjs/common'
import type { CacheManager } from './cache-manager.ts'
import { openManager, type OpenedManager } from './open-manager.ts'
import type { CacheModuleAsyncOptions, CacheModuleOptions, CacheOptions } from './options.ts'
import { CACHE_MANAGER, HOLDFAST, HOLDFAST_CACHE, SHARED } from './tokens.ts'

const definition: ConfigurableModuleHost<CacheOptions, 'register', 'createCacheOptions'> =
  new ConfigurableModuleBuilder<CacheOptions>({ moduleName: 'Cache' })
    .setFactoryMethodName('createCacheOptions')
    .build()
const ConfigurableModule: ConfigurableModuleCls<CacheOptions, 'register', 'createCacheOptions'> =
  definition.ConfigurableModuleClass

/** What the options are injected by. */
export const CACHE_MODULE_OPTIONS: string | symbol = definition.MODULE_OPTIONS_TOKEN

/** The cache manager, to be injected by its type. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- what it is injected by has to be a class
export abstract class Cache {}
export interface Cache extends CacheManager {}

/** Gives an application its cache: `@nestjs/cache-manager`'s module, on Redis, which may be away. */
export class CacheModule extends ConfigurableModule {
  /** Configures the cache. */
  static override register<StoreConfig extends Record<any, any> = Record<string, any>>(
    options: CacheModuleOptions<StoreConfig> = {} as CacheModuleOptions<StoreConfig>,
  ): DynamicModule {
    return { global: options.isGlobal ?? false, ...super.register(options) }
  }

  /** Configures the cache by what a factory or a class gives. */
  static override registerAsync<StoreConfig extends Record<any, any> = Record<string, any>>(
    options: CacheModuleAsyncOptions<StoreConfig>,
  ): DynamicModule {
    const module = super.registerAsync(options)
    return {
      global: options.isGlobal ?? false,
      ...module,
      providers: [...(module.providers ?? []), ...(options.extraProviders ?? [])],
    }
  }
}

const OPENED = Symbol('@holdfast/cache-nestjs:opened')

Module({
  providers: [
    {
      provide: OPENED,
      useFactory: openManager,
      inject: [CACHE_MODULE_OPTIONS, { token: SHARED, optional: true }],
    },
    { provide: CACHE_MANAGER, useFactory: ({ manager }: OpenedManager) => manager, inject: [OPENED] },
    { provide: Cache, useExisting: CACHE_MANAGER },
    { provide: HOLDFAST, useFactory: ({ holdfast }: OpenedManager) => holdfast, inject: [OPENED] },
    { provide: HOLDFAST_CACHE, useFactory: ({ engine }: OpenedManager) => engine, inject: [OPENED] },
  ],
  exports: [CACHE_MANAGER, Cache, HOLDFAST, HOLDFAST_CACHE],
})(CacheModule)
