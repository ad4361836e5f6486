import { Buffer } from 'node:buffer'
import { optionError } from '../../errors.ts'
import type { Milliseconds } from '../../units.ts'
import {
  written,
  type Backend,
  type ExpiringSets,
  type Member,
  type SetOptions,
  type SetOutcome,
} from '../backend.ts'
import type { CommandPort, RedisCommand, Reply } from './port.ts'
import {
  arrayOf,
  bytesOf,
  expectStatus,
  integerOf,
  integrityError,
  isText,
  rethrowWithoutArguments,
} from './replies.ts'
import { scanKeys } from './scan.ts'
import { addMembers, getBound, membersFrom, setIf, type Script } from './scripts.ts'
import { positionsBySlot } from './slots.ts'

/** What the Redis backend is made of. */
export interface RedisBackendOptions {
  /** The connection. The backend closes it when it is closed. */
  readonly port: CommandPort
}

/** A Redis backend. It can do a little more than the contract asks. */
export interface RedisBackend extends Backend {
  getBound: NonNullable<Backend['getBound']>
  readonly sets: ExpiringSets
  watch: NonNullable<Backend['watch']>
  reset: NonNullable<Backend['reset']>
}

/**
 * Creates the Redis backend over a client's port. Every reply is checked for its shape; one that cannot be the answer
 * to its call rejects with an error whose `integrity` is true, upon which the layer above calls `reset()`.
 */
export function createRedisBackend({ port }: RedisBackendOptions): RedisBackend {
  const prefix = port.keyPrefix
  const ask = port.ask?.bind(port) ?? sendThenRead
  let calls = 0

  function send(command: RedisCommand, key?: string): Promise<Reply> {
    return port.send(command, key).catch(rethrowWithoutArguments)
  }

  function sendThenRead<T>(command: RedisCommand, key: string, read: (reply: Reply) => T): Promise<T> {
    return port.send(command, key).then(read, rethrowWithoutArguments)
  }

  async function run(
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly (string | Buffer)[],
  ): Promise<readonly Reply[]> {
    const nonce = (++calls).toString(36)
    const rest = [String(keys.length), ...keys, nonce, ...args]
    const [key] = keys
    const reply = await send(['EVALSHA', script.sha1, ...rest], key).catch((error: unknown) => {
      if (!isNoScript(error)) throw error
      return send(['EVAL', script.source, ...rest], key)
    })
    if (!Array.isArray(reply) || !isText(reply[0], nonce))
      throw integrityError('the answer to this script call')
    return reply
  }

  async function setConditionally(key: string, value: Uint8Array, options: SetOptions): Promise<SetOutcome> {
    const ttl = ttlArgument(options.ttl) ?? ''
    return outcomeOf(await run(setIf, [key], [asBuffer(value), ttl, condition(options)]))
  }

  function setAlways(key: string, value: Uint8Array, ttl: Milliseconds | undefined): Promise<SetOutcome> {
    try {
      const command: RedisCommand =
        ttl === undefined
          ? ['SET', key, asBuffer(value)]
          : ['SET', key, asBuffer(value), 'PX', ttlArgument(ttl)!]
      return ask(command, key, wasWritten)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async function getSome(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    const reply = await send(['MGET', ...keys], keys[0])
    return arrayOf(reply, keys.length).map(bytesOf)
  }

  const sets: ExpiringSets = {
    async add(set, members, also = {}) {
      const { channel = '', message = nothing } = also.publish ?? {}
      const args = [
        channel,
        asBuffer(message),
        ...members.flatMap(([member, at]) => [member, timeArgument(at)]),
      ]
      const removed = also.delete === undefined ? [] : [prefix + also.delete]
      // Two keys may be in two slots: the mark goes first, so that nobody finds neither of them.
      const beside = port.clustered ? removed : []
      const keys: [string, ...string[]] = [prefix + set, ...(port.clustered ? [] : removed)]
      await Promise.all([
        run(addMembers, keys, [String(Date.now()), ...args]),
        ...beside.map((key) => send(['DEL', key], key)),
      ])
    },
    async remove(set, members) {
      if (members.length > 0) integerOf(await send(['ZREM', prefix + set, ...members], prefix + set))
    },
    async members(set, { from, limit }) {
      const reply = await run(membersFrom, [prefix + set], [timeArgument(from), String(limit)])
      const [, found] = arrayOf(reply, 2)
      if (!Array.isArray(found)) throw integrityError('the members of a set')
      return membersOf(found)
    },
    async *scan(set) {
      let cursor = '0'
      do {
        const [next, found] = arrayOf(
          await send(['ZSCAN', prefix + set, cursor, 'COUNT', '1000'], prefix + set),
          2,
        )
        cursor = bytesOf(next)?.toString() ?? ''
        if (!/^\d+$/.test(cursor) || !Array.isArray(found)) throw integrityError('a step through a set')
        if (found.length > 0) yield membersOf(found)
      } while (cursor !== '0')
    },
  }

  return {
    name: 'redis',
    capabilities: { shared: true, durable: true },

    get(key) {
      const wireKey = prefix + key
      return ask(['GET', wireKey], wireKey, bytesOf)
    },
    async getBound(key) {
      const [, value] = arrayOf(await run(getBound, [prefix + key], []), 2)
      return bytesOf(value)
    },
    async getMany(keys) {
      if (keys.length === 0) return []
      const wireKeys = keys.map((key) => prefix + key)
      if (!port.clustered) return getSome(wireKeys)
      const values = Array.from<Buffer | undefined>({ length: keys.length })
      await Promise.all(
        positionsBySlot(wireKeys).map(async (positions) => {
          const found = await getSome(positions.map((position) => wireKeys[position]!))
          positions.forEach((position, index) => (values[position] = found[index]))
        }),
      )
      return values
    },
    set(key, value, options = {}) {
      return options.ifAbsent || options.ifVersion !== undefined
        ? setConditionally(prefix + key, value, options)
        : setAlways(prefix + key, value, options.ttl)
    },
    async delete(key) {
      return integerOf(await send(['DEL', prefix + key], prefix + key)) > 0
    },
    async touch(key, ttl) {
      return integerOf(await send(['PEXPIRE', prefix + key, ttlArgument(ttl)!], prefix + key)) === 1
    },
    scan: (keysPrefix) => scanKeys(port, keysPrefix),

    async publish(channel, message) {
      integerOf(await send(['PUBLISH', channel, asBuffer(message)]))
    },
    subscribe: (channel, listener, hearing) => port.subscribe(channel, listener, hearing),
    ...(port.track && { track: trackedBy(port.track.bind(port), prefix) }),
    sets,

    async ping() {
      expectStatus(await send(['PING']), 'PONG')
    },
    watch: (listener) => port.watch(listener),
    reset: () => port.reset(),
    close: () => port.close(),
  }
}

function trackedBy(track: NonNullable<CommandPort['track']>, prefix: string): NonNullable<Backend['track']> {
  return (own, listener) =>
    track(prefix + own, {
      ...listener,
      onChange: (keys) => listener.onChange(keys?.map((key) => key.slice(prefix.length))),
    })
}

function ttlArgument(ttl: Milliseconds | undefined): string | undefined {
  if (ttl === undefined) return undefined
  if (!(ttl > 0) || ttl === Infinity) throw optionError('ttl', 'more than 0 milliseconds, or left out', ttl)
  return String(Math.min(Math.ceil(ttl), Number.MAX_SAFE_INTEGER))
}

const nothing = Buffer.alloc(0)

function timeArgument(at: number): string {
  return String(Math.min(Math.max(0, Math.ceil(at)), Number.MAX_SAFE_INTEGER))
}

function membersOf(found: readonly Reply[]): Member[] {
  const members: Member[] = []
  for (let i = 0; i + 1 < found.length; i += 2) members.push([String(found[i]), Number(String(found[i + 1]))])
  return members
}

function condition({ ifAbsent, ifVersion }: SetOptions): string {
  if (ifAbsent && ifVersion !== undefined)
    throw optionError('ifVersion', 'left out beside "ifAbsent"', ifVersion)
  return ifVersion ?? ''
}

function wasWritten(reply: Reply): SetOutcome {
  expectStatus(reply, 'OK')
  return written
}

function outcomeOf(reply: readonly Reply[]): SetOutcome {
  if (reply.length === 2 && reply[1] === 1) return written
  if (reply.length === 3 && reply[1] === 0) return { written: false, current: bytesOf(reply[2]) }
  throw integrityError('the outcome of a conditional write')
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
