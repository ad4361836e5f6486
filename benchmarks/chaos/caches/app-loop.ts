// A cache in a loop of calls, without a framework around it.
import { createHoldfast } from '@holdfast/core'
import { runUnderLoad } from './under-load.ts'

await runUnderLoad(async ({ options, near, database }) => {
  const holdfast = createHoldfast(await options())
  const cache = holdfast.cache({ near })
  return {
    holdfast,
    cache,
    get: cache.get,
    getOrSet: (key, ttl) => cache.getOrSet(key, () => database.read(key), { ttl }),
  }
})
