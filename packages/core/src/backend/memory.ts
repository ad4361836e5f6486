import { systemClock, type Clock } from '../clock.ts'
import { HoldfastError } from '../errors.ts'
import { soon } from '../soon.ts'
import { parseSize, type Size } from '../units.ts'
import { versionOf, written, type Backend } from './backend.ts'
import { createMemorySets } from './memory-sets.ts'
import { checkedTtl, createMemoryTable } from './memory-table.ts'

/** The options of {@link createMemoryBackend}. */
export interface MemoryBackendOptions {
  /** Default: the system's. */
  readonly clock?: Clock | undefined
  /** How many entries are kept: 1 to 10 million, default 50,000. */
  readonly maxEntries?: number | undefined
  /** How much memory keys and values take, each entry with 512 bytes of overhead: from 1 kB, default 64 MB. */
  readonly maxBytes?: Size | undefined
}

interface Channel {
  readonly listener: (message: Uint8Array) => void
}

const scanBatch = 500

/**
 * Creates a backend in the memory of this process. Beyond either bound the least recently used entry gives way. It sets
 * no timers, shares nothing with other processes, and forgets everything when it is closed.
 */
export function createMemoryBackend(options: MemoryBackendOptions = {}): Backend {
  const { clock = systemClock, maxEntries = 50_000, maxBytes = '64MB' } = options
  const table = createMemoryTable({
    clock,
    maxEntries,
    maxBytes: parseSize('maxBytes', maxBytes, { min: 1024 }),
  })
  const sets = createMemorySets(clock)
  const channels = new Map<string, Set<Channel>>()
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new HoldfastError('ERR_HOLDFAST_CLOSED', 'The memory backend is closed.')
  }

  function read(key: string): Uint8Array | undefined {
    const bytes = table.get(key)
    return bytes && Buffer.from(bytes)
  }

  function publish(name: string, message: Uint8Array): void {
    for (const channel of channels.get(name) ?? []) {
      const copy = Buffer.from(message)
      soon(() => {
        if (channels.get(name)?.has(channel)) deliver(channel, copy)
      })
    }
  }

  return {
    name: 'memory',
    capabilities: { shared: false, durable: false },

    async get(key) {
      assertOpen()
      return read(key)
    },
    async getMany(keys) {
      assertOpen()
      return keys.map(read)
    },
    async set(key, value, { ttl, ifAbsent, ifVersion } = {}) {
      assertOpen()
      if (ttl !== undefined) checkedTtl(ttl)
      if (ifAbsent || ifVersion !== undefined) {
        const current = table.get(key)
        const holds = ifAbsent
          ? current === undefined
          : current !== undefined && versionOf(current) === ifVersion
        if (!holds) return { written: false, current: current && Buffer.from(current) }
      }
      table.set(key, value, ttl)
      return written
    },
    async delete(key) {
      assertOpen()
      return table.delete(key)
    },
    async touch(key, ttl) {
      assertOpen()
      return table.touch(key, ttl)
    },
    async *scan(prefix) {
      assertOpen()
      const keys = table.keys(prefix)
      for (let start = 0; start < keys.length; start += scanBatch) {
        assertOpen()
        yield keys.slice(start, start + scanBatch)
      }
    },

    sets: {
      async add(set, members, also = {}) {
        assertOpen()
        sets.add(set, members)
        if (also.delete !== undefined) table.delete(also.delete)
        if (also.publish) publish(also.publish.channel, also.publish.message)
      },
      async remove(set, members) {
        assertOpen()
        sets.remove(set, members)
      },
      async members(set, range) {
        assertOpen()
        return sets.members(set, range)
      },
      async *scan(set) {
        assertOpen()
        const members = sets.all(set)
        for (let start = 0; start < members.length; start += scanBatch) {
          assertOpen()
          yield members.slice(start, start + scanBatch)
        }
      },
    },

    async publish(name, message) {
      assertOpen()
      publish(name, message)
    },
    async subscribe(name, listener) {
      assertOpen()
      const channel = { listener }
      const listening = channels.get(name) ?? new Set()
      channels.set(name, listening.add(channel))
      return {
        async close() {
          listening.delete(channel)
          if (listening.size === 0 && channels.get(name) === listening) channels.delete(name)
        },
      }
    },

    async ping() {
      assertOpen()
    },
    async close() {
      isClosed = true
      table.clear()
      sets.clear()
      channels.clear()
    },
  }
}

/** What a listener throws is nobody's answer: neither the publisher's nor another listener's. */
function deliver({ listener }: Channel, message: Uint8Array): void {
  try {
    listener(message)
  } catch {}
}
