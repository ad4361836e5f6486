// The same with cacheable over Redis, an `error` listener on both: for comparison, and to prove that the table can tell.
import { createKeyv } from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { runUnderLoad } from './under-load.ts'

await runUnderLoad(async ({ url, near, log, database }) => {
  const secondary = createKeyv(url).on('error', (error: Error) => log(String(error)))
  const cache = new Cacheable(near ? { secondary } : { primary: secondary })
  cache.on('error', (error) => log(String(error)))
  const remove = (key: string): Promise<boolean> => cache.delete(key)
  return {
    cache: {
      set: (key, value, { ttl }) => cache.set(key, value, ttl),
      delete: remove,
      deleteByTag: (tag) => remove(tag),
    },
    get: (key) => cache.get(key),
    async getOrSet(key, ttl) {
      const value = await cache.getOrSet(key, () => database.read(key), { ttl })
      if (value === undefined) throw new Error('no value')
      return value
    },
  }
})
