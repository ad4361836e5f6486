import type { Backend, ConnectionChange } from '../src/backend/backend.ts'
import { createMemoryBackend } from '../src/backend/memory.ts'
import type { Clock } from '../src/clock.ts'

/** The memory backend behind a line that a test can cut, hang or make refuse writes. Not Redis: for unit tests of time. */
export interface BreakableBackend extends Backend {
  mode: 'well' | 'failing' | 'hanging' | 'refusing writes'
  /** What this user may not do, though the probe is answered. */
  forbidden: 'getMany' | 'conditional set' | undefined
  /** How long it takes to answer, in ms. */
  latency: number
  /** How many calls reached it. */
  calls: number
  resets: number
  tell(change: ConnectionChange): void
  /** Carries out the calls that hung, late. */
  deliver(): Promise<void>
}

export function breakableBackend(clock: Clock): BreakableBackend {
  const memory = createMemoryBackend({ clock })
  const late: (() => Promise<unknown>)[] = []
  const listeners = new Set<(change: ConnectionChange) => void>()

  function through<T>(
    isWrite: boolean,
    operation: () => Promise<T>,
    what?: BreakableBackend['forbidden'],
  ): Promise<T> {
    backend.calls++
    if (what !== undefined && what === backend.forbidden)
      return Promise.reject(Object.assign(new Error('NOPERM no permissions'), { name: 'ReplyError' }))
    switch (backend.mode) {
      case 'failing':
        return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
      case 'hanging':
        return new Promise((resolve, reject) => late.push(() => operation().then(resolve, reject)))
      case 'refusing writes':
        if (isWrite)
          return Promise.reject(Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }))
        return travelled(operation)
      case 'well':
        return travelled(operation)
    }
  }

  async function travelled<T>(operation: () => Promise<T>): Promise<T> {
    const result = await operation()
    if (backend.latency > 0)
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, backend.latency))
    return result
  }

  const backend: BreakableBackend = {
    ...memory,
    name: 'breakable',
    capabilities: { shared: true, durable: false },
    mode: 'well',
    forbidden: undefined,
    latency: 0,
    calls: 0,
    resets: 0,
    get: (key) => through(false, () => memory.get(key)),
    getMany: (keys) => through(false, () => memory.getMany(keys), 'getMany'),
    set: (key, value, options) =>
      through(true, () => memory.set(key, value, options), options?.ifAbsent ? 'conditional set' : undefined),
    delete: (key) => through(true, () => memory.delete(key)),
    touch: (key, ttl) => through(true, () => memory.touch(key, ttl)),
    sets: {
      add: (set, members, also) => through(true, () => memory.sets!.add(set, members, also)),
      remove: (set, members) => through(true, () => memory.sets!.remove(set, members)),
      members: (set, range) => through(false, () => memory.sets!.members(set, range)),
      scan: (set) => memory.sets!.scan(set),
    },
    watch(heard) {
      listeners.add(heard)
      if (backend.mode === 'well') heard({ status: 'ready' })
      return () => void listeners.delete(heard)
    },
    reset: () => void backend.resets++,
    tell(change) {
      for (const listener of listeners) listener(change)
    },
    async deliver() {
      for (const operation of late.splice(0)) await operation().catch(() => {})
    },
  }
  return backend
}
