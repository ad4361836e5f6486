import type { Backend, ConnectionChange } from '../../src/backend/backend.ts'
import type { ModelClock } from './model-clock.ts'
import type { SharedPrimary } from './shared-primary.ts'

/**
 * How a process' line to the primary is. `hung`: what is sent stays under way, and takes effect when the line is well
 * again or, where the connection was dropped meanwhile, at any later time. `mute`: it takes effect at once, but no answer
 * comes back.
 */
export type LinkMode = 'well' | 'cut' | 'hung' | 'mute'

/** A process' line to the primary. */
export interface Link extends Backend {
  readonly mode: LinkMode
  /** Whether what is published now is heard. */
  readonly isHearing: boolean
  become(mode: LinkMode): void
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

export function createLink({
  primary,
  clock,
  random,
  mode: firstMode,
}: {
  primary: SharedPrimary
  clock: ModelClock
  random: () => number
  mode: LinkMode
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
  let tell: ((change: ConnectionChange) => void) | undefined

  /** Commands travel for a random while, on one connection: none overtakes another. */
  async function travel(before: Promise<void>): Promise<void> {
    await before
    for (let hops = Math.floor(random() * 4); hops > 0; hops--) await undefined
  }

  async function send<T>(effect: () => T, canStray = true): Promise<T> {
    if (mode === 'cut') throw lost('ECONNREFUSED')
    if (mode === 'well') {
      await (last = travel(last))
      return effect()
    }
    const value = mode === 'mute' ? { of: effect() } : undefined
    return new Promise<T>((resolve, reject) => {
      waiting.push({
        deliver: () => resolve(value ? value.of : effect()),
        stray: value || !canStray ? undefined : effect,
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

  function listenAgain(): void {
    if (isListening) return
    const after = Math.floor(random() * 400)
    clock.setTimeout(() => {
      if (mode !== 'well' || isListening || isAbandoned) return
      isListening = true
      for (const { onGap } of listeners) onGap?.()
    }, after)
  }

  function hear(channel: string, message: Uint8Array): void {
    if (isAbandoned || !isListening || mode === 'cut') return
    for (const listener of listeners) {
      if (listener.channel !== channel) continue
      if (mode === 'well') queueMicrotask(() => listener.hear(message))
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
    get isHearing() {
      return mode === 'well' && isListening && listeners.length > 0
    },
    become(next) {
      if (mode === next) return
      mode = next
      if (next === 'cut') {
        drop()
        tell?.({ status: 'lost', cause: lost('ECONNREFUSED') })
      } else if (next === 'well') {
        for (const { deliver } of waiting.splice(0)) deliver()
        for (const listener of unheard.splice(0)) listener()
        listenAgain()
        if (!isConnected) {
          isConnected = true
          tell?.({ status: 'ready' })
        }
      }
    },
    abandon() {
      isAbandoned = true
      tell = undefined
      drop()
      mode = 'cut'
    },

    get: (key) => send(() => primary.get(key)),
    getMany: (keys) => send(() => keys.map((key) => primary.get(key))),
    set: (key, value, options) => send(() => primary.set(key, value, options)),
    delete: (key) => send(() => primary.delete(key)),
    touch: (key, ttl) => send(() => primary.touch(key, ttl)),
    async *scan(prefix) {
      yield await send(() => primary.keys(prefix))
    },
    publish: (channel, message) => send(() => primary.publish(channel, message)),
    async subscribe(channel, listener, onGap) {
      const entry: Listener = { channel, hear: listener, onGap }
      await send(() => {
        listeners.push(entry)
        isListening = true
      }, false)
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
      members: (set, range) => send(() => primary.members(set, range)),
    },
    ping: () => send(() => undefined),
    watch(listener) {
      tell = listener
      if (mode === 'well') listener({ status: 'ready' })
      return () => void (tell = undefined)
    },
    reset() {
      drop()
      tell?.({ status: 'lost', cause: undefined })
      if (mode !== 'well') return
      isConnected = true
      listenAgain()
      tell?.({ status: 'ready' })
    },
    close: async () => undefined,
  }
}

function lost(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code })
}
