/** The part of a socket that corking leans on. */
interface Corkable {
  readonly writable: boolean
  write: (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean
  cork(): void
  uncork(): void
}

/** Chunks up to this many bytes are copied into one; above, copying costs more than it saves. */
const joinUpTo = 8_192
/** How much is joined before it is written. */
const joinedUpTo = 262_144
/**
 * After how many commands of a turn the first go out already, so that Redis works on them while the rest is written; the
 * next go out after twice as many, and so on.
 */
const firstBatch = 16

/**
 * Lets all that is written to a socket in one turn travel together: one system call instead of one per command. Small
 * chunks are joined before they are written; large ones go out corked, in their order. Gives whether it could: what is
 * no such socket is left as it is, and works as ever.
 *
 * Only for sockets of clients that we made: it replaces the socket's `write`. `isBusy` tells whether answers are awaited:
 * a caller that is alone with its connection, one command at a time, has nobody to wait for and is let through.
 */
export function corkTurns(stream: unknown, isBusy?: () => boolean): boolean {
  if (!isCorkable(stream)) return false
  const socket = stream
  const write = socket.write
  let scheduled = false
  let corked = false
  // Commands without bytes are text; joining that is cheaper still.
  let text = ''
  let chunks: Uint8Array[] = []
  let collected = 0
  let batch = firstBatch
  let waiting = 0
  let writes = 0
  let wasAlone = true

  function flush(): void {
    scheduled = false
    wasAlone = writes === 1
    writes = 0
    batch = firstBatch
    writeJoined()
    if (!corked) return
    corked = false
    socket.uncork()
  }

  function collect(chunk: Uint8Array): void {
    if (text !== '') collectText()
    chunks.push(chunk)
    collected += chunk.length
  }

  function collectText(): void {
    chunks.push(Buffer.from(text))
    text = ''
  }

  function writeJoined(): void {
    if (text !== '' && chunks.length > 0) collectText()
    const joined = chunks.length > 1 ? Buffer.concat(chunks) : (chunks[0] ?? text)
    text = ''
    chunks = []
    collected = 0
    waiting = 0
    // A socket that was ended meanwhile takes no more; its commands are rejected with it.
    if (joined.length > 0 && socket.writable) write.call(socket, joined)
  }

  function written(): true {
    if (++waiting >= batch || collected > joinedUpTo) {
      batch *= 2
      writeJoined()
    }
    return true
  }

  socket.write = (chunk, encoding, callback) => {
    if (!scheduled) {
      if (wasAlone && isBusy?.() === false) return write.call(socket, chunk, encoding, callback)
      scheduled = true
      // The next tick comes after the promise callbacks that most commands are sent from. Where answers are awaited
      // anyway, nothing is lost by letting the other connections of this turn (requests of a server) have their say too.
      if (isBusy?.()) setImmediate(flush)
      else process.nextTick(flush)
    }
    writes++
    if (encoding === undefined && callback === undefined) {
      if (typeof chunk === 'string') {
        text += chunk
        return written()
      }
      if (chunk instanceof Uint8Array && chunk.length <= joinUpTo) {
        collect(chunk)
        return written()
      }
    }
    if (!corked) {
      corked = true
      socket.cork()
    }
    writeJoined()
    return write.call(socket, chunk, encoding, callback)
  }
  return true
}

function isCorkable(stream: unknown): stream is Corkable {
  const { write, cork, uncork } = (stream ?? {}) as Partial<Record<keyof Corkable, unknown>>
  return typeof write === 'function' && typeof cork === 'function' && typeof uncork === 'function'
}
