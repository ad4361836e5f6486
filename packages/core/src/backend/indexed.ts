import type { Clock } from '../clock.ts'
import { century, type Milliseconds } from '../units.ts'
import type { Backend, Member } from './backend.ts'

/**
 * A backend that keeps an index of the keys it writes, so that they can be listed without looking at all of the other side.
 * The index may name keys that are gone, but misses none that is there: a key is written before it is noted, and struck
 * off before it is removed. A backend without sets, or of this process alone, scans.
 */
export function indexed(backend: Backend, name: string, clock: Clock): Backend {
  const { sets } = backend
  if (!sets || !backend.capabilities.shared) return backend

  function note(key: string, ttl: Milliseconds | undefined): Promise<void> {
    const member: Member = [key, clock.now() + Math.min(ttl ?? century, century)]
    return sets!.add(name, [member])
  }

  return {
    name: backend.name,
    capabilities: backend.capabilities,
    get: (key) => backend.get(key),
    ...(backend.getBound && { getBound: (key: string) => backend.getBound!(key) }),
    getMany: (keys) => backend.getMany(keys),
    publish: (channel, message) => backend.publish(channel, message),
    subscribe: (...asked) => backend.subscribe(...asked),
    sets,
    ping: () => backend.ping(),
    close: () => backend.close(),
    // In one round trip: both are on their way before either is answered.
    async set(key, value, options) {
      const [outcome] = await Promise.all([backend.set(key, value, options), note(key, options?.ttl)])
      return outcome
    },
    async delete(key) {
      const [, wasThere] = await Promise.all([sets.remove(name, [key]), backend.delete(key)])
      return wasThere
    },
    async touch(key, ttl) {
      const [there] = await Promise.all([backend.touch(key, ttl), note(key, ttl)])
      return there
    },
    async *scan(prefix) {
      for await (const members of sets.scan(name)) {
        const now = clock.now()
        const keys = members
          .filter(([key, expiresAt]) => expiresAt > now && key.startsWith(prefix))
          .map(([key]) => key)
        if (keys.length > 0) yield keys
      }
    },
  }
}
