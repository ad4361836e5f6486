import type { CacheOptions as CoreCacheOptions, Holdfast, HoldfastOptions } from '@holdfast/core'
import type { ConfigurableModuleAsyncOptions, Provider, Type } from '@nestjs/common'

/** The options of cache-manager, of a Holdfast and of a cache on it. */
export interface CacheManagerOptions
  extends Omit<HoldfastOptions, 'prefix'>, Omit<CoreCacheOptions, 'prefix' | 'ttl'> {
  /** How long an entry lives that is given no ttl, in ms. 0, the default: for ever. */
  readonly ttl?: number | undefined
  /** Where less than this remains of an entry's ttl, in ms, `wrap` makes it anew in the background. */
  readonly refreshThreshold?: number | undefined
  readonly cacheId?: string | undefined
  /** Keeps the entries apart from those of other caches: their keys begin with `holdfast:cache-<namespace>:`, percent-encoded. */
  readonly namespace?: string | undefined
  /** What the keys begin with, to the letter. Default: `holdfast:cache:`. */
  readonly prefix?: string | undefined
  /** A Holdfast to share; the application closes it. Default: that of HoldfastModule, else one of its own. */
  readonly holdfast?: Holdfast | undefined
  /**
   * What an application gave to another cache manager: a Keyv or an adapter on Redis, whose client then says which Redis to
   * use, or one in memory. Default: none; say `redis` instead.
   */
  readonly stores?: unknown
}

export type CacheOptions<StoreConfig extends Record<any, any> = Record<string, any>> = CacheManagerOptions &
  StoreConfig

export type CacheModuleOptions<StoreConfig extends Record<any, any> = Record<string, any>> =
  CacheOptions<StoreConfig> & {
    /** Makes the cache known in all modules. */
    isGlobal?: boolean | undefined
  }

/** Gives the options of the cache module; for `useClass` and `useExisting`. */
export interface CacheOptionsFactory<StoreConfig extends Record<any, any> = Record<string, any>> {
  createCacheOptions(): Promise<CacheOptions<StoreConfig>> | CacheOptions<StoreConfig>
}

/** Where the options of the cache module come from. */
export interface CacheModuleAsyncOptions<
  StoreConfig extends Record<any, any> = Record<string, any>,
> extends ConfigurableModuleAsyncOptions<CacheOptions<StoreConfig>, keyof CacheOptionsFactory> {
  useExisting?: Type<CacheOptionsFactory<StoreConfig>>
  useClass?: Type<CacheOptionsFactory<StoreConfig>>
  useFactory?: (...args: any[]) => Promise<CacheOptions<StoreConfig>> | CacheOptions<StoreConfig>
  inject?: any[] | undefined
  /** Providers that are made within this module. */
  extraProviders?: Provider[] | undefined
  /** Makes the cache known in all modules. */
  isGlobal?: boolean | undefined
}
