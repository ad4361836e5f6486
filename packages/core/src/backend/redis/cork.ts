import { Socket } from 'node:net'
import type { RedisCommand } from './port.ts'
import { RespWriter } from './resp-writer.ts'

/** The part of a socket that corking leans on. */
interface Corkable {
  readonly writable: boolean
  write: (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean
  /** Ours: besides chunks it takes commands as they are. */
  [takesCommands]?: true
}

const takesCommands = Symbol('takes commands')

/** How much is joined before it is written. */
const joinedUpTo = 262_144
/**
 * After how many commands of a turn, at least, the first go out already, so that Redis works on them while the rest is
 * written: half of what the last turn had, as every system call costs as much as some commands. The next go out after twice
 * as many, and so on.
 */
const firstBatch = 16

/**
 * Lets all that is written to a socket in one turn travel together, in its order: one system call and one buffer instead of
 * one per command. Gives whether it could: what is no such socket is left as it is, and works as ever.
 *
 * Only for sockets of clients that we made: it replaces the socket's `write`. `isBusy` tells whether answers are awaited:
 * a caller that is alone with its connection, one command at a time, has nobody to wait for and is let through.
 */
export function corkTurns(stream: unknown, isBusy?: () => boolean): boolean {
  if (!isCorkable(stream)) return false
  const socket = stream
  const write = socket.write
  const joined = new RespWriter()
  let scheduled = false
  let batch = firstBatch
  let waiting = 0
  let writes = 0
  let wasAlone = true

  function flush(): void {
    scheduled = false
    wasAlone = writes === 1
    batch = Math.max(firstBatch, writes >> 1)
    writes = 0
    writeJoined()
  }

  function writeJoined(): void {
    waiting = 0
    const { encoding } = joined
    const chunk = joined.take()
    // A socket that was ended meanwhile takes no more; its commands are rejected with it.
    if (chunk.length > 0 && socket.writable) write.call(socket, chunk, encoding)
    // The kernel has it all; else the buffer is on its way until the socket is drained. Another kind of stream may hold it.
    if (socket instanceof Socket && socket.writableLength === 0) joined.giveBack()
  }

  socket.write = (chunk, encoding, callback) => {
    if (!scheduled) {
      if (wasAlone && isBusy?.() === false) {
        if (!Array.isArray(chunk)) return write.call(socket, chunk, encoding, callback)
        joined.command(chunk as unknown as RedisCommand)
        writeJoined()
        return true
      }
      scheduled = true
      // The next tick comes after the promise callbacks that most commands are sent from. Where answers are awaited
      // anyway, nothing is lost by letting the other connections of this turn (requests of a server) have their say too.
      if (isBusy?.()) setImmediate(flush)
      else process.nextTick(flush)
    }
    writes++
    if (Array.isArray(chunk)) joined.command(chunk as unknown as RedisCommand)
    else if (encoding === undefined && callback === undefined) joined.chunk(chunk as string | Uint8Array)
    else {
      writeJoined()
      return write.call(socket, chunk, encoding, callback)
    }
    if (++waiting >= batch || joined.size > joinedUpTo) {
      batch *= 2
      writeJoined()
    }
    return true
  }

  socket[takesCommands] = true
  return true
}

/** Whether a socket takes commands as they are, to encode them together. */
export function writesCommands(socket: object): boolean {
  return takesCommands in socket
}

function isCorkable(stream: unknown): stream is Corkable {
  const { write, writable } = (stream ?? {}) as Partial<Corkable>
  return typeof write === 'function' && typeof writable === 'boolean'
}
