import { conformance, defineSessionStore, type SessionStore } from '@holdfast/conformance'
import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { afterAll, describe, it } from 'vitest'
import { HoldfastStore } from '../src/index.ts'

const redis = await startRedis()
const proxy = await startProxy(redis)
const stores = new Map<SessionStore, HoldfastStore>()

const subject = defineSessionStore({
  name: 'HoldfastStore of session-fastify',
  shared: true,
  async create() {
    const store = new HoldfastStore({ redis: proxy.url, prefix: 'held:', logger: false })
    await store.holdfast.ready()
    stores.set(store as unknown as SessionStore, store)
    return store as unknown as SessionStore
  },
  close: async (store) => stores.get(store)?.close(),
  fault: {
    cut: () => proxy.refuse(),
    hang: async () => proxy.hold(),
    slow: async () => proxy.delay(2_000),
    restore: () => proxy.restore(),
  },
  stop: () => proxy.close(),
})

conformance(subject, { describe, it })

afterAll(() => redis.stop())
