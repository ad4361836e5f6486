import { CacheModule, HoldfastModule, type HoldfastModuleOptions } from '@holdfast/cache-nestjs'
import { HoldfastHealthIndicator } from '@holdfast/cache-nestjs/terminus'
import { Module, type DynamicModule, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { TerminusModule } from '@nestjs/terminus'
import { CatalogueController } from './catalogue-controller.ts'
import { Catalogue } from './catalogue.ts'
import { HealthController } from './health-controller.ts'

export type Platform = 'express' | 'fastify'

@Module({
  imports: [CacheModule.register(), TerminusModule],
  controllers: [CatalogueController, HealthController],
  providers: [Catalogue, HoldfastHealthIndicator],
})
class AppModule {
  /** One Holdfast for all; the CacheModule goes on it. */
  static on(options: HoldfastModuleOptions): DynamicModule {
    return { module: AppModule, imports: [HoldfastModule.forRoot(options)] }
  }
}

export async function createApp(
  platform: Platform,
  options: HoldfastModuleOptions = {},
): Promise<INestApplication> {
  const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter()
  const app = await NestFactory.create(AppModule.on(options), adapter, { logger: ['warn', 'error'] })
  // Lets go of Redis at SIGTERM and SIGINT, once the requests that are under way are answered.
  app.enableShutdownHooks()
  return app
}
