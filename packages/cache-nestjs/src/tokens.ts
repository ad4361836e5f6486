/** What the cache manager is injected by; the same text as in `@nestjs/cache-manager`. */
export const CACHE_MANAGER = 'CACHE_MANAGER'
export const CACHE_KEY_METADATA = 'cache_module:cache_key'
export const CACHE_TTL_METADATA = 'cache_module:cache_ttl'

/** What the Holdfast is injected by; see {@link InjectHoldfast}. */
export const HOLDFAST = 'HOLDFAST'
/** What the cache engine is injected by; see {@link InjectCache}. */
export const HOLDFAST_CACHE = 'HOLDFAST_CACHE'

/** What a CacheModule finds the Holdfast of a HoldfastModule by, where the application has one. */
export const SHARED: unique symbol = Symbol('@holdfast/cache-nestjs:shared')
