import { cacheOptionNames, holdfastOptionNames, refuseUnknownOptions, type OptionNames } from '@holdfast/core'
import type { HoldfastModuleOptions } from './holdfast-module.ts'
import type { CacheManagerOptions } from './options.ts'

/** Those that have no effect: of several stores, and `max` of memory, which cache-manager does not know any more either. */
interface Idle {
  readonly nonBlocking: unknown
  readonly refreshAllStores: unknown
  readonly max: unknown
}
interface Global {
  readonly isGlobal: unknown
}

const ofManager: OptionNames<CacheManagerOptions & Idle & Global> = {
  ...holdfastOptionNames,
  ...cacheOptionNames,
  refreshThreshold: true,
  cacheId: true,
  namespace: true,
  holdfast: true,
  stores: true,
  nonBlocking: true,
  refreshAllStores: true,
  max: true,
  isGlobal: true,
}

const ofModule: OptionNames<HoldfastModuleOptions & Global> = {
  ...holdfastOptionNames,
  holdfast: true,
  cache: { names: cacheOptionNames },
  isGlobal: true,
}

/** Throws `ERR_HOLDFAST_OPTION` for an option of the cache module that there is not; shows no value. */
export function checkManagerOptions(options: object): void {
  refuseUnknownOptions(options, ofManager)
}

/** Throws `ERR_HOLDFAST_OPTION` for an option of the Holdfast module, or of its cache, that there is not; shows no value. */
export function checkModuleOptions(options: object): void {
  refuseUnknownOptions(options, ofModule)
}
