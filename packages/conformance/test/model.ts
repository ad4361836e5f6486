import { createMemoryBackend, type Backend, type ConnectionChange, type Subscription } from '@holdfast/core'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'
import { startTracking, type ModelTracking } from './model-tracking.ts'
import { tellingTable, type Tell } from './telling-table.ts'

type Line = 'up' | 'cut' | 'hang' | 'slow'

/** How late a slow answer is, in ms. */
const slowness = 700

/**
 * A backend in this process that keeps every promise: clients of one table, over a line that can be cut, hung and slow.
 * Mutants break it in one place each.
 */
export function model({ name = 'model', mutate = (backend: Backend) => backend } = {}): BackendSubject {
  const trackers = new Set<Tell>()
  const table = tellingTable(createMemoryBackend(), (key) => trackers.forEach((tell) => tell(key)))
  const clients = new Set<(change: ConnectionChange) => void>()
  const held: (() => void)[] = []
  let line: Line = 'up'

  async function turn(next: Line): Promise<void> {
    const before = line
    line = next
    if (next === 'cut') for (const notify of clients) notify({ status: 'lost', cause: refused() })
    if (next !== 'up') return
    for (const release of held.splice(0)) release()
    if (before === 'cut') for (const notify of clients) notify({ status: 'ready' })
  }

  function carried(): Promise<void> {
    switch (line) {
      case 'up':
        return Promise.resolve()
      case 'cut':
        return Promise.reject(refused())
      case 'hang':
        return new Promise((resolve) => held.push(resolve))
      case 'slow':
        return new Promise((resolve) => void setTimeout(resolve, slowness))
    }
  }

  function create(): Backend {
    const watchers = new Set<(change: ConnectionChange) => void>()
    const subscriptions = new Set<Subscription>()
    const trackings = new Set<ModelTracking>()
    const notify = (change: ConnectionChange): void => watchers.forEach((watcher) => watcher(change))
    let isClosed = false
    clients.add(notify)

    async function over<T>(call: () => Promise<T>): Promise<T> {
      if (isClosed) throw new Error('closed')
      await carried()
      return call()
    }

    const backend: Backend = {
      name: 'model',
      capabilities: { shared: true, durable: false },
      get: (key) => over(() => table.get(key)),
      getBound: (key) => over(() => table.get(key)),
      getMany: (keys) => over(() => table.getMany(keys)),
      set(key, value, options) {
        const own = Buffer.from(value)
        return over(() => table.set(key, own, options))
      },
      delete: (key) => over(() => table.delete(key)),
      touch: (key, ttl) => over(() => table.touch(key, ttl)),
      async *scan(prefix) {
        await over(() => table.ping())
        yield* table.scan(prefix)
      },
      publish: (channel, message) => over(() => table.publish(channel, Buffer.from(message))),
      subscribe: (channel, listener, hearing) =>
        over(async () => {
          const inner = await table.subscribe(channel, listener)
          const tell = ({ status }: ConnectionChange): void =>
            status === 'ready' ? hearing?.onGap?.() : hearing?.onLost?.()
          watchers.add(tell)
          const subscription = { close: () => (watchers.delete(tell), inner.close()) }
          subscriptions.add(subscription)
          return subscription
        }),
      track(prefix, listener) {
        const tracking = startTracking(prefix, listener, { trackers, carried, watch: backend.watch! })
        trackings.add(tracking)
        return tracking
      },
      sets: {
        add: (set, members, also) => over(() => table.sets!.add(set, members, also)),
        remove: (set, members) => over(() => table.sets!.remove(set, members)),
        members: (set, range) => over(() => table.sets!.members(set, range)),
        async *scan(set) {
          yield* await over(async () => table.sets!.scan(set))
        },
      },
      ping: () => over(() => table.ping()),
      watch(listener) {
        watchers.add(listener)
        if (line !== 'cut') listener({ status: 'ready' })
        return () => void watchers.delete(listener)
      },
      reset: () => undefined,
      async close() {
        isClosed = true
        clients.delete(notify)
        for (const tracking of trackings) tracking.end()
        await Promise.all([...subscriptions].map((subscription) => subscription.close()))
      },
    }
    return backend
  }

  return defineBackend({
    name,
    create: () => mutate(create()),
    flush: () => table.flush(),
    fault: {
      cut: () => turn('cut'),
      hang: () => turn('hang'),
      slow: () => turn('slow'),
      restore: () => turn('up'),
    },
  })
}

function refused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
}
