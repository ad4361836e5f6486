// my-cache.conformance.ts
import { createHoldfast } from '@holdfast/core'
import { defineCache } from '@holdfast/conformance'
import { proxy } from './my-proxy.ts'
import { redis } from './my-redis.ts'

const open = (space: string) => createHoldfast({ redis: proxy.url, prefix: space }).cache({ near: true })

export default defineCache({
  name: 'my cache',
  create: open, // a fresh cache of a space: those of two spaces have no entry in common
  createPeer: open, // the same as another process has it
  // something foreign in an entry's place: bytes, and a list
  async plant(space, key, value) {
    const wireKey = `${space}:cache:${key}`
    await redis.del(wireKey)
    if (value instanceof Uint8Array) await redis.set(wireKey, Buffer.from(value))
    else await redis.rpush(wireKey, ...value)
  },
  grace: true, // entries past their ttl are kept for their grace
  factories: 64, // how many run at once while Redis is away
  fault: { cut: () => proxy.refuse(), restore: () => proxy.restore() },
})
