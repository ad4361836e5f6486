export { CACHE_KEY_METADATA, CACHE_MANAGER, CACHE_TTL_METADATA, HOLDFAST, HOLDFAST_CACHE } from './tokens.ts'
export { Cache, CACHE_MODULE_OPTIONS, CacheModule } from './cache-module.ts'
export { CacheInterceptor } from './cache-interceptor.ts'
export { CacheKey, CacheTTL } from './metadata.ts'
export type { CacheKeyFactory, CacheTTLFactory } from './metadata.ts'
export type {
  CacheManagerOptions,
  CacheModuleAsyncOptions,
  CacheModuleOptions,
  CacheOptions,
  CacheOptionsFactory,
} from './options.ts'
export type { CacheEvents, CacheItem, CacheManager, WrapOptions } from './cache-manager.ts'
export type { Raw, StoreView } from './store-view.ts'

export { HoldfastModule } from './holdfast-module.ts'
export type { HoldfastModuleOptions, HoldfastOptionsFactory } from './holdfast-module.ts'
export { Cached } from './cached.ts'
export type { CachedOptions } from './cached.ts'
export { InvalidateTags } from './invalidate-tags.ts'
export { InjectCache, InjectHoldfast } from './inject.ts'
export type { AsyncMethod, AsyncMethodDecorator } from './method-decorator.ts'

export type { Cache as CacheEngine, CachePolicy, Holdfast } from '@holdfast/core'
