import type { Backend, Subscription } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'
import { override } from './override.ts'

type Listener = (message: Uint8Array) => void

const messageMutants: readonly Mutant[] = [
  mutant('delivers what is published once', 'taking bytes for text', (inner) => ({
    publish: (channel, message) => inner.publish(channel, Buffer.from(Buffer.from(message).toString('utf8'))),
  })),
  mutant('delivers to other clients', 'listening in its own process only', (inner) => {
    const own = `${Math.random()}`
    return {
      publish: (channel, message) => inner.publish(own + channel, message),
      subscribe: (channel, listener) => inner.subscribe(own + channel, listener),
    }
  }),
  mutant('delivers in the order of publishing', 'delivering twice', (inner) => ({
    subscribe: (channel, listener) =>
      inner.subscribe(channel, (message) => (listener(message), listener(message))),
  })),
  mutant('delivers a message of 100 kB', 'losing those above 64 kB', (inner) => ({
    publish: async (channel, message) =>
      message.length > 65_536 ? undefined : inner.publish(channel, message),
  })),
  mutant(
    'delivers what was published when the publisher',
    "sending the publisher's buffer later",
    (inner) => ({
      async publish(channel, message) {
        setTimeout(() => void inner.publish(channel, message).catch(() => undefined), 10)
      },
    }),
  ),
  mutant('gives each listener bytes of its own', 'giving all the same', (inner) => {
    const listeners: Listener[] = []
    return {
      subscribe(channel, listener) {
        listeners.push(listener)
        return inner.subscribe(channel, (message) => {
          if (listener === listeners[0]) for (const each of listeners) each(message)
        })
      },
    }
  }),
  mutant('keeps channels apart', 'taking a channel for a pattern', (inner) => ({
    subscribe: (channel, listener) => inner.subscribe(channel.replace(/a\*$/, 'ab'), listener),
  })),
  mutant('is silent for a listener that has left', 'leaving for all', (inner) => {
    const all: Subscription[] = []
    return {
      async subscribe(channel, listener) {
        all.push(await inner.subscribe(channel, listener))
        return {
          close: async () => void (await Promise.all(all.map((subscription) => subscription.close()))),
        }
      },
    }
  }),
  mutant('keeps no message for those who come later', 'keeping the last one', (inner) => {
    const last = new Map<string, Uint8Array>()
    return {
      publish: (channel, message) => (last.set(channel, message), inner.publish(channel, message)),
      subscribe(channel, listener) {
        const kept = last.get(channel)
        if (kept) listener(kept)
        return inner.subscribe(channel, listener)
      },
    }
  }),
  mutant('listens again after an outage', 'forgetting who listens when the line is lost', (inner) => {
    let listeners: Listener[] = []
    inner.watch!(({ status }) => status === 'lost' && (listeners = []))
    return {
      subscribe(channel, listener) {
        listeners.push(listener)
        return inner.subscribe(channel, (message) => listeners.includes(listener) && listener(message))
      },
    }
  }),
]

const gapMutants: readonly Mutant[] = [
  mutant('listens again after a second outage', 'forgetting who listens at the second', (inner) => {
    let losses = 0
    inner.watch!(({ status }) => status === 'lost' && losses++)
    return {
      subscribe: (channel, listener, hearing) =>
        inner.subscribe(channel, (message) => losses > 1 || listener(message), hearing),
    }
  }),
  mutant('listens again after a second outage', 'telling of the first gap alone', (inner) => ({
    subscribe(channel, listener, hearing) {
      let told = false
      const once = (): void => {
        if (!told) hearing?.onGap?.()
        told = true
      }
      return inner.subscribe(channel, listener, { ...hearing, onGap: once })
    },
  })),
  mutant('tells those who listen of the loss', 'saying nothing', (inner) => ({
    subscribe: (channel, listener) => inner.subscribe(channel, listener),
  })),
  mutant('tells those who listen of the loss', 'telling of the gap alone', (inner) => ({
    subscribe: (channel, listener, hearing) =>
      inner.subscribe(channel, listener, { onGap: () => hearing?.onGap?.() }),
  })),
  mutant('tells those who listen of the loss', 'telling when the line is lost', (inner) => ({
    subscribe(channel, listener, hearing) {
      inner.watch!(({ status }) => status === 'lost' && hearing?.onGap?.())
      return inner.subscribe(channel, listener, { onLost: () => hearing?.onLost?.() })
    },
  })),
  mutant('tells those who listen of the loss', 'telling the first of each channel', (inner) => {
    const told = new Set<string>()
    return {
      subscribe(channel, listener, hearing) {
        const isFirst = !told.has(channel)
        told.add(channel)
        return inner.subscribe(channel, listener, isFirst ? hearing : { onLost: () => hearing?.onLost?.() })
      },
    }
  }),
  mutant('tells those who listen of the loss', 'telling those who have left', (inner) => ({
    async subscribe(channel, listener, hearing) {
      inner.watch!(({ status }) => status === 'ready' && hearing?.onGap?.())
      return inner.subscribe(channel, listener, { onLost: () => hearing?.onLost?.() })
    },
  })),
  mutant('tells those who listen of the loss', 'not hearing any more', (inner) => {
    let isLost = false
    inner.watch!(({ status }) => (isLost ||= status === 'lost'))
    return {
      subscribe: (channel, listener, ...gaps) =>
        inner.subscribe(channel, (message) => isLost || listener(message), ...gaps),
    }
  }),
]

const endMutants: readonly Mutant[] = [
  mutant('names itself', 'having no name', () => ({ name: '' })),
  mutant('answers a ping', 'having no answer', () => ({
    ping: () => Promise.reject(new Error('unknown command')),
  })),
  mutant('answers no call at all once it is closed', 'reading on', (inner) => openToTheEnd(inner)),
  mutant('answers no call at all once it is closed', 'having members on', ({ close, sets }) => {
    let isClosed = false
    return {
      close: () => ((isClosed = true), close()),
      sets: override(sets!, {
        members: async (set, range) => (isClosed ? [] : sets!.members(set, range)),
      }),
    }
  }),
  mutant('can be closed twice', 'rejecting the second time', (inner) => {
    let isClosed = false
    return {
      async close() {
        if (isClosed) throw new Error('closed')
        isClosed = true
        await inner.close()
      },
    }
  }),
  mutant('settles what is under way', 'dropping it', (inner) => {
    let isClosed = false
    return {
      close: () => ((isClosed = true), inner.close()),
      async set(key, value, options) {
        await new Promise((resolve) => void setTimeout(resolve, 10))
        return isClosed ? new Promise(() => undefined) : inner.set(key, value, options)
      },
    }
  }),
  mutant('leaves other clients alone', 'closing all that there are', (inner) => {
    opened.add(inner)
    return { close: async () => void (await Promise.all([...opened].map((backend) => backend.close()))) }
  }),
  mutant('is silent once it is closed', 'listening on', (inner) => {
    let isClosed = false
    return {
      close: async () => void (isClosed = true),
      get: (key) => (isClosed ? Promise.reject(new Error('closed')) : inner.get(key)),
    }
  }),
]

const connectionMutants: readonly Mutant[] = [
  mutant('tells at once that it is ready', 'waiting for a change', (inner) => ({
    watch(listener) {
      let first = true
      return inner.watch!((change) => (first ? (first = false) : listener(change)))
    },
  })),
  mutant('tells when the connection is lost', 'telling only that it is ready', (inner) => ({
    watch: (listener) => inner.watch!((change) => change.status === 'ready' && listener(change)),
  })),
  mutant('can be asked again after a reset', 'not connecting anew', (inner) => ({
    reset: () => void inner.close(),
  })),
  mutant('never says "not there" when it cannot ask', 'swallowing errors', (inner) => ({
    get: (key) => inner.get(key).catch(() => undefined),
  })),
  mutant('never says "not there" when it cannot ask', 'having no members', ({ sets }) => ({
    sets: override(sets!, { members: (set, range) => sets!.members(set, range).catch(() => []) }),
  })),
]

export const lifecycleMutants: readonly Mutant[] = [
  ...messageMutants,
  ...gapMutants,
  ...endMutants,
  ...connectionMutants,
]

const opened = new Set<Backend>()

function openToTheEnd(inner: Backend): Partial<Backend> {
  let isClosed = false
  return {
    close: () => ((isClosed = true), inner.close()),
    get: async (key) => (isClosed ? undefined : inner.get(key)),
  }
}
