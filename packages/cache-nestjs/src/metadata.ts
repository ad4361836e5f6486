import { SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common'
import { CACHE_KEY_METADATA, CACHE_TTL_METADATA } from './tokens.ts'

/** Gives the key for a request; `undefined`: it is not cached. */
export type CacheKeyFactory = (ctx: ExecutionContext) => string | Promise<string | undefined> | undefined
/** Gives the ttl for a request, in ms. */
export type CacheTTLFactory = (ctx: ExecutionContext) => Promise<number> | number

/** Says under which key {@link CacheInterceptor} keeps what a handler answers. */
export const CacheKey = (key: string | CacheKeyFactory): CustomDecorator =>
  SetMetadata(CACHE_KEY_METADATA, key)

/** Says how long {@link CacheInterceptor} keeps what a handler answers, in ms; 0: for ever. */
export const CacheTTL = (ttl: number | CacheTTLFactory): CustomDecorator =>
  SetMetadata(CACHE_TTL_METADATA, ttl)
