import type { Backend, ConnectionChange } from '../../src/backend/backend.ts'
import type { ModelClock } from './model-clock.ts'
import type { SharedPrimary } from './shared-primary.ts'

/**
 * How a process' line to the primary is. `hung`: what is sent stays under way, and takes effect when the line is well
 * again or, where the connection was dropped meanwhile, at any later time. `mute`: it takes effect at once, but no answer
 * comes back. `refusing`: writes are answered with an error, as at `maxmemory`.
 */
export type LinkMode = 'well' | 'cut' | 'hung' | 'mute' | 'refusing'

/** A process' line to the primary. */
export interface Link extends Backend {
  readonly mode: LinkMode
  /** Whether it answers what is asked. */
  readonly isAnswering: boolean
  /** Whether what is published now is heard. */
  readonly isHearing: boolean
  become(mode: LinkMode): void
  /** Loses the connection that listens; it is made anew after a while. */
  deafen(): void
  /** Its process is gone; what it sent may still arrive. */
  abandon(): void
}

interface Waiting {
  /** Takes effect and answers. */
  readonly deliver: () => void
  /** Takes effect; nobody is there for the answer. */
  readonly stray: (() => void) | undefined
  readonly reject: (error: Error) => void
}

interface Listener {
  readonly channel: string
  readonly hear: (message: Uint8Array) => void
  readonly onGap: (() => void) | undefined
}

/** Whoever heard of a gap has asked for what was missed by then. */
const soonAfterGap = 100

export function createLink({
  primary,
  clock,
  random,
  mode: firstMode,
  onCaughtUp,
}: {
  primary: SharedPrimary
  clock: ModelClock
  random: () => number
  mode: LinkMode
  /** Called when messages have been heard again for a while. */
  onCaughtUp: () => void
}): Link {
  let mode = firstMode
  let waiting: Waiting[] = []
  let unheard: (() => void)[] = []
  let listeners: Listener[] = []
  /** The connection that listens is another one, and comes back later. */
  let isListening = mode !== 'cut'
  let isConnected = mode !== 'cut'
  let isAbandoned = false
  let last = Promise.resolve()
  const watchers = new Set<(change: ConnectionChange) => void>()

  function isAnswering(): boolean {
    return mode === 'well' || mode === 'refusing'
  }

  /** Commands travel for a random while, on one connection: none overtakes another. */
  async function travel(before: Promise<void>): Promise<void> {
    await before
    for (let hops = Math.floor(random() * 4); hops > 0; hops--) await undefined
  }

  async function send<T>(
    effect: () => T,
    kind: 'read' | 'write' | 'of this connection' = 'write',
  ): Promise<T> {
    if (mode === 'cut') throw lost('ECONNREFUSED')
    if (isAnswering()) {
      await (last = travel(last))
      if (mode === 'refusing' && kind === 'write') throw refused
      return effect()
    }
    const value = mode === 'mute' ? { of: effect() } : undefined
    return new Promise<T>((resolve, reject) => {
      waiting.push({
        deliver: () => resolve(value ? value.of : effect()),
        stray: value || kind !== 'write' ? undefined : effect,
        reject,
      })
    })
  }

  function drop(): void {
    for (const { stray, reject } of waiting.splice(0)) {
      if (stray) primary.strays.push(stray)
      reject(lost('ECONNRESET'))
    }
    unheard = []
    isListening = false
    isConnected = false
  }

  function tell(change: ConnectionChange): void {
    for (const watcher of watchers) watcher(change)
  }

  function listenAgain(): void {
    if (isListening) return
    const after = Math.floor(random() * 400)
    clock.setTimeout(() => {
      if (!isAnswering() || isListening || isAbandoned) return
      isListening = true
      for (const { onGap } of listeners) onGap?.()
      clock.setTimeout(() => isAnswering() && isListening && onCaughtUp(), soonAfterGap)
    }, after)
  }

  function hear(channel: string, message: Uint8Array): void {
    if (isAbandoned || !isListening || mode === 'cut') return
    for (const listener of listeners) {
      if (listener.channel !== channel) continue
      if (isAnswering()) queueMicrotask(() => listener.hear(message))
      else unheard.push(() => listener.hear(message))
    }
  }
  primary.listen(hear)

  return {
    name: 'model',
    capabilities: { shared: true, durable: true },
    get mode() {
      return mode
    },
    get isAnswering() {
      return isAnswering()
    },
    get isHearing() {
      return isAnswering() && isListening && listeners.length > 0
    },
    become(next) {
      if (mode === next) return
      mode = next
      if (next === 'cut') {
        drop()
        tell({ status: 'lost', cause: lost('ECONNREFUSED') })
      } else if (isAnswering()) {
        for (const { deliver } of waiting.splice(0)) deliver()
        for (const listener of unheard.splice(0)) listener()
        listenAgain()
        if (!isConnected) {
          isConnected = true
          tell({ status: 'ready' })
        }
      }
    },
    deafen() {
      isListening = false
      if (isAnswering()) listenAgain()
    },
    abandon() {
      isAbandoned = true
      watchers.clear()
      drop()
      mode = 'cut'
    },

    get: (key) => send(() => primary.get(key), 'read'),
    getMany: (keys) => send(() => keys.map((key) => primary.get(key)), 'read'),
    set: (key, value, options) => send(() => primary.set(key, value, options)),
    delete: (key) => send(() => primary.delete(key)),
    touch: (key, ttl) => send(() => primary.touch(key, ttl)),
    async *scan(prefix) {
      yield await send(() => primary.keys(prefix), 'read')
    },
    publish: (channel, message) => send(() => primary.publish(channel, message)),
    async subscribe(channel, listener, hearing) {
      const entry: Listener = { channel, hear: listener, onGap: hearing?.onGap }
      await send(() => {
        listeners.push(entry)
        isListening = true
      }, 'of this connection')
      return { close: async () => void (listeners = listeners.filter((other) => other !== entry)) }
    },
    sets: {
      add: (set, members, also) =>
        send(() => {
          primary.addMembers(set, members)
          if (also?.delete !== undefined) primary.delete(also.delete)
          if (also?.publish) primary.publish(also.publish.channel, also.publish.message)
        }),
      remove: (set, members) => send(() => primary.removeMembers(set, members)),
      members: (set, range) => send(() => primary.members(set, range), 'read'),
      async *scan(set) {
        yield await send(() => primary.members(set, { from: 0, limit: Infinity }), 'read')
      },
    },
    ping: () => send(() => undefined, 'read'),
    watch(listener) {
      watchers.add(listener)
      if (isAnswering()) listener({ status: 'ready' })
      return () => void watchers.delete(listener)
    },
    reset() {
      drop()
      tell({ status: 'lost', cause: undefined })
      if (!isAnswering()) return
      isConnected = true
      listenAgain()
      tell({ status: 'ready' })
    },
    close: async () => undefined,
  }
}

const refused = Object.assign(new Error("OOM command not allowed when used memory > 'maxmemory'"), {
  name: 'ReplyError',
})

function lost(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code })
}
