import { createHoldfast, type CacheOptions } from '@holdfast/core'
import { defineCache, type CacheSubject, type ConformantCache } from '@holdfast/conformance'
import { model } from './model.ts'
import { override } from './override.ts'

/** What a mutant of a cache may want to know. */
export interface Around {
  /** Whether the other side is away. */
  isAway(): boolean
  readonly closed: AbortSignal
  /** What the backend holds for a key. */
  raw(key: string): Promise<Uint8Array | undefined>
}

/** What a cache of the model is made of; mutants break it. */
export type CacheMutation = (cache: ConformantCache, around: Around) => Partial<ConformantCache>

export interface ModelCacheOptions {
  readonly mutation?: CacheMutation
  readonly options?: CacheOptions
}

const factories = 8
/** Many caches are made, and room for many entries takes its time to make. */
const maxEntries = 2_000

/** A cache that keeps every promise, over the model backend: with a near cache, so that it has much to keep. */
export function modelCache({ mutation = () => ({}), options = {} }: ModelCacheOptions = {}): CacheSubject {
  const { create: connect, fault: line } = model()
  let isFaulty = false
  const closers = new WeakMap<ConformantCache, () => Promise<void>>()

  async function turn(isAway: boolean, how: (() => unknown) | undefined): Promise<void> {
    isFaulty = isAway
    await how?.()
  }

  async function create(space: string): Promise<ConformantCache> {
    const backend = await connect()
    const holdfast = createHoldfast({ backend, logger: false, prefix: space, fallback: { maxEntries } })
    const cache: ConformantCache = holdfast.cache({
      near: { maxEntries },
      factories: { max: factories },
      ...options,
    })
    const closing = new AbortController()
    await holdfast.ready()
    const around: Around = {
      // From the very start of a fault: a busy machine notices it later than a mutant is asked.
      isAway: () => isFaulty || holdfast.state !== 'healthy',
      closed: closing.signal,
      raw: (key) => backend.get(`${space}:cache:${key}`),
    }
    const mutated = override(cache, mutation(cache, around))
    closers.set(mutated, () => {
      closing.abort()
      return holdfast.close()
    })
    return mutated
  }

  return defineCache({
    name: 'model cache',
    create,
    createPeer: create,
    close: async (cache) => closers.get(cache)?.(),
    async plant(space, key, value) {
      const backend = await connect()
      await backend.set(
        `${space}:cache:${key}`,
        value instanceof Uint8Array ? value : Buffer.from(value.join()),
      )
      await backend.close()
    },
    grace: true,
    factories,
    fault: {
      cut: () => turn(true, line?.cut),
      hang: () => turn(true, line?.hang),
      slow: () => turn(true, line?.slow),
      restore: () => turn(false, line?.restore),
    },
  })
}
