import {
  cacheOptionNames,
  HoldfastError,
  onlyOptions,
  type Cache as CacheEngine,
  type Holdfast,
} from '@holdfast/core'
import { createCacheManager, type CacheManager } from './cache-manager.ts'
import { checkManagerOptions } from './known-options.ts'
import { prefixOf } from './namespace.ts'
import { open, type Opened } from './open.ts'
import type { CacheOptions } from './options.ts'
import { behindStores } from './stores.ts'

/** What a module holds that has a cache manager. */
export interface OpenedManager extends Opened {
  readonly manager: CacheManager
}

/** Creates a cache manager on the Redis or the Holdfast that the options name, else on a HoldfastModule's, else on its own. */
export async function openManager(options: CacheOptions, shared: Opened | undefined): Promise<OpenedManager> {
  const {
    ttl: givenTtl,
    refreshThreshold,
    cacheId,
    stores,
    namespace,
    prefix,
    ...own
  } = enginesOptions(options)
  const isNamed = [own.redis, own.backend, own.env, own.holdfast].some((option) => option !== undefined)
  const behind = [stores ?? []].flat().length > 0 ? behindStores(stores) : undefined
  if (behind && isNamed) throw optionError('stores', 'must be left out where a Redis or a Holdfast is given')
  const ttl = givenTtl ?? behind?.ttl

  function prefixOn(holdfast: Holdfast): string | undefined {
    return prefix ?? prefixOf(namespace ?? behind?.namespace, holdfast.prefix)
  }

  function engineOn(holdfast: Holdfast): CacheEngine {
    return holdfast.cache({
      ...onlyOptions(own, cacheOptionNames),
      ttl: ttl || undefined,
      prefix: prefixOn(holdfast),
    })
  }

  function openShared({ holdfast, engine }: Opened): Opened {
    const isApart = prefixOn(holdfast) !== undefined
    const [misplaced] = Object.keys(own).filter((option) => own[option] !== undefined)
    if (misplaced !== undefined && !isApart)
      throw optionError(misplaced, 'must be given to HoldfastModule, or come with a "namespace"')
    const close = (): Promise<void> => Promise.resolve()
    return {
      holdfast,
      engine: isApart ? engineOn(holdfast) : engine,
      close,
      onApplicationShutdown: close,
    }
  }

  const opened =
    shared && !isNamed && !behind ? openShared(shared) : await open({ ...own, ...behind?.source }, engineOn)
  async function close(): Promise<void> {
    await opened.close()
    await behind?.disconnect()
  }
  const { holdfast, engine } = opened
  const manager = createCacheManager({ engine, ttl, refreshThreshold, cacheId, disconnect: close })
  return { holdfast, engine, manager, close, onApplicationShutdown: close }
}

/** The options without those that have no effect: there is one store, which never blocks. */
function enginesOptions(options: CacheOptions): CacheOptions {
  if (options['store'] !== undefined)
    throw optionError('store', 'is of cache-manager 5: give "redis" (a URL, a client or "memory") instead')
  checkManagerOptions(options)
  const {
    isGlobal: _isGlobal,
    nonBlocking: _nonBlocking,
    refreshAllStores: _refreshAllStores,
    max: _max,
    ...own
  } = options
  return own
}

function optionError(option: string, problem: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_OPTION', `Option "${option}" ${problem}.`)
}
