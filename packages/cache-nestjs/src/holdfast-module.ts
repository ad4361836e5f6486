import type { CacheOptions, Holdfast, HoldfastOptions } from '@holdfast/core'
import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
  type DynamicModule,
} from '@nestjs/common'
import { checkModuleOptions } from './known-options.ts'
import { open, type Opened } from './open.ts'
import { HOLDFAST, HOLDFAST_CACHE, SHARED } from './tokens.ts'

/** The options of {@link HoldfastModule}: those of a Holdfast, and of the cache that the application injects. */
export interface HoldfastModuleOptions extends HoldfastOptions {
  /** A Holdfast of the application's own, which closes it. */
  readonly holdfast?: Holdfast | undefined
  readonly cache?: CacheOptions | undefined
}

/** Gives the options; for `useClass` and `useExisting`. */
export interface HoldfastOptionsFactory {
  createHoldfastOptions(): Promise<HoldfastModuleOptions> | HoldfastModuleOptions
}

interface Extras {
  /** Makes the Holdfast known in all modules; default `true`. */
  isGlobal?: boolean
}

type Host = ConfigurableModuleHost<HoldfastModuleOptions, 'forRoot', 'createHoldfastOptions', Extras>

const definition: Host = new ConfigurableModuleBuilder<HoldfastModuleOptions>({ moduleName: 'Holdfast' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createHoldfastOptions')
  .setExtras<Extras>({ isGlobal: true }, (module, { isGlobal }) => ({ ...module, global: isGlobal ?? true }))
  .build()
const ConfigurableModule: ConfigurableModuleCls<
  HoldfastModuleOptions,
  'forRoot',
  'createHoldfastOptions',
  Extras
> = definition.ConfigurableModuleClass

/**
 * Gives an application one Holdfast, for caches, sessions and limits, and one cache on it. Closes it when the application ends;
 * also by signals, after `app.enableShutdownHooks()`. A CacheModule goes on it where it names no Redis.
 */
export class HoldfastModule extends ConfigurableModule {
  static override forRoot(options: HoldfastModuleOptions & Extras = {}): DynamicModule {
    return super.forRoot(options)
  }
}

Module({
  providers: [
    { provide: SHARED, useFactory: openShared, inject: [definition.MODULE_OPTIONS_TOKEN] },
    { provide: HOLDFAST, useFactory: ({ holdfast }: Opened) => holdfast, inject: [SHARED] },
    { provide: HOLDFAST_CACHE, useFactory: ({ engine }: Opened) => engine, inject: [SHARED] },
  ],
  exports: [SHARED, HOLDFAST, HOLDFAST_CACHE],
})(HoldfastModule)

async function openShared(given: HoldfastModuleOptions): Promise<Opened> {
  checkModuleOptions(given)
  const { cache, ...options } = given
  return open(options, (holdfast) => holdfast.cache(cache))
}
