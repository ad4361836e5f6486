import {
  Inject,
  Injectable,
  Logger,
  Optional,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common'
import { HttpAdapterHost, Reflector } from '@nestjs/core'
import { of, tap, type Observable } from 'rxjs'
import type { CacheManager } from './cache-manager.ts'
import type { CacheKeyFactory, CacheTTLFactory } from './metadata.ts'
import { CACHE_KEY_METADATA, CACHE_MANAGER, CACHE_TTL_METADATA } from './tokens.ts'

/**
 * Answers from the cache what was answered before: GET requests by their URL, others and other kinds of handler by their
 * {@link CacheKey}. The header `X-Cache` tells `HIT` or `MISS`. While Redis is away the handler runs.
 */
export class CacheInterceptor implements NestInterceptor {
  protected readonly cacheManager: CacheManager
  protected readonly reflector: Reflector
  declare protected readonly httpAdapterHost: HttpAdapterHost
  protected allowedMethods: string[] = ['GET']

  constructor(cacheManager: any, reflector: Reflector) {
    this.cacheManager = cacheManager
    this.reflector = reflector
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<any>> {
    const key = await this.trackBy(context)
    if (!key) return next.handle()
    const given = this.#ttlOf(context)
    let ttl: number | undefined
    try {
      const value = await this.#valueOf(key, context)
      this.setHeadersWhenHttp(context, value)
      if (value !== undefined && value !== null) return of(value)
      ttl = typeof given === 'function' ? await given(context) : given
    } catch {
      return next.handle()
    }
    return next.handle().pipe(tap((response) => void this.#keep(key, response, ttl)))
  }

  /** Gives the key of a request, or nothing for one that is not cached. To be overridden. */
  protected trackBy(
    context: ExecutionContext,
  ): Promise<string | undefined | null> | string | undefined | null {
    const { httpAdapter } = this.httpAdapterHost ?? {}
    const isHttp = Boolean(httpAdapter?.getRequestMethod) && context.getType<string>() === 'http'
    const given = this.reflector.get<string | CacheKeyFactory | undefined>(
      CACHE_KEY_METADATA,
      context.getHandler(),
    )
    if (!isHttp || given) return typeof given === 'function' ? given(context) : given
    if (!this.isRequestCacheable(context)) return undefined
    return httpAdapter!.getRequestUrl(context.getArgByIndex(0)) as string
  }

  /** Tells whether a request without a {@link CacheKey} is cached. To be overridden. */
  protected isRequestCacheable(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ method: string }>()
    return this.allowedMethods.includes(request.method)
  }

  protected setHeadersWhenHttp(context: ExecutionContext, value: any): void {
    const { httpAdapter } = this.httpAdapterHost ?? {}
    if (!httpAdapter || context.getType<string>() !== 'http') return
    const isHit = value !== undefined && value !== null
    httpAdapter.setHeader(context.switchToHttp().getResponse(), 'X-Cache', isHit ? 'HIT' : 'MISS')
  }

  /** What cannot be asked for is a miss: what is no key, and all while Redis is away under the rule `refuse`. */
  async #valueOf(key: string, context: ExecutionContext): Promise<unknown> {
    try {
      return await this.cacheManager.get(key)
    } catch (error) {
      this.setHeadersWhenHttp(context, undefined)
      throw error
    }
  }

  /** What a handler says, or else its class. */
  #ttlOf(context: ExecutionContext): number | CacheTTLFactory | undefined {
    const ttls = [context.getHandler(), context.getClass()].map((target) =>
      this.reflector.get<number | CacheTTLFactory | undefined>(CACHE_TTL_METADATA, target),
    )
    return ttls.find((ttl) => ttl !== undefined && ttl !== null)
  }

  async #keep(key: string, response: unknown, ttl: number | undefined): Promise<void> {
    if (response instanceof StreamableFile) return
    try {
      await this.cacheManager.set(key, response, ttl)
    } catch (error) {
      Logger.error('An answer could not be cached', (error as Error).stack, 'CacheInterceptor')
    }
  }
}

Injectable()(CacheInterceptor)
Inject(CACHE_MANAGER)(CacheInterceptor, undefined, 0)
Inject(Reflector)(CacheInterceptor, undefined, 1)
Optional()(CacheInterceptor.prototype, 'httpAdapterHost')
Inject(HttpAdapterHost)(CacheInterceptor.prototype, 'httpAdapterHost')
