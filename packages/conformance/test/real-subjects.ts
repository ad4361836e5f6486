import { createMemoryBackend, redisBackendFrom, type Backend } from '@holdfast/core'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'
import { connectResp, manualClock, startProxy, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createClient } from 'redis'

/** How late Redis answers when it is slow, in ms. */
const slowness = 2_000

/** The memory backend, on a clock that is moved by hand. It has no other side, so no fault can come between. */
export function memorySubject(): BackendSubject {
  const clock = manualClock()
  return defineBackend({ name: 'memory', create: () => createMemoryBackend({ clock }), clock })
}

/** Each subject has a database of its own, which it may empty. */
let databases = 0

/** Redis behind a proxy of its own. */
export async function redisSubject(
  name: string,
  redis: RedisServer,
  connect: (url: string) => Backend | Promise<Backend> = redisBackendFrom,
): Promise<BackendSubject> {
  const proxy = await startProxy(redis)
  const database = String(++databases)
  const control = connectResp(redis.port)
  await control.command('SELECT', database)
  return defineBackend({
    name,
    create: () => connect(`${proxy.url}/${database}`),
    flush: async () => void (await control.command('FLUSHDB')),
    fault: {
      cut: () => proxy.refuse(),
      hang: async () => proxy.hold(),
      slow: async () => proxy.delay(slowness),
      restore: () => proxy.restore(),
    },
    async stop() {
      control.close()
      await proxy.close()
    },
  })
}

/** A Redis that is stopped as a process, instead of one whose connection is held. */
export async function frozenRedisSubject(name: string, redis: RedisServer): Promise<BackendSubject> {
  const subject = await redisSubject(name, redis)
  const { cut, slow, restore } = subject.fault!
  return defineBackend({
    ...subject,
    fault: {
      cut: cut!,
      slow: slow!,
      hang: async () => redis.freeze(),
      async restore() {
        redis.thaw()
        await restore!()
      },
    },
  })
}

/** A backend over an application's own node-redis client, which is closed with it. */
export async function overNodeRedis(url: string): Promise<Backend> {
  const client = createClient({ url })
  client.on('error', () => undefined)
  void client.connect().catch(() => undefined)
  const backend = redisBackendFrom(client)
  return {
    ...backend,
    async close() {
      await backend.close()
      if (client.isOpen) client.destroy()
    },
  }
}
