/** The part of a socket that corking leans on. */
interface Corkable {
  readonly writable: boolean
  write: (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean
  cork(): void
  uncork(): void
}

/**
 * Lets all that is written to a socket in one turn travel together: one system call instead of one per command. Text,
 * which is what commands without a value are, is joined before it is written; bytes go out corked, in their order.
 * Gives whether it could: what is no such socket is left as it is, and works as ever.
 *
 * Only for sockets of clients that we made: it replaces the socket's `write`.
 */
export function corkTurns(stream: unknown): boolean {
  if (!isCorkable(stream)) return false
  const socket = stream
  const write = socket.write
  let scheduled = false
  let corked = false
  let text = ''

  function schedule(): void {
    scheduled = true
    // Runs after the promise callbacks of this turn, which are where most commands are sent from.
    process.nextTick(flush)
  }

  function flush(): void {
    scheduled = false
    writeText()
    if (!corked) return
    corked = false
    socket.uncork()
  }

  function writeText(): void {
    if (text === '') return
    const joined = text
    text = ''
    // A socket that was ended meanwhile takes no more; its commands are rejected with it.
    if (socket.writable) write.call(socket, joined)
  }

  socket.write = (chunk, encoding, callback) => {
    if (!scheduled) schedule()
    if (typeof chunk === 'string' && encoding === undefined && callback === undefined) {
      text += chunk
      return true
    }
    if (!corked) {
      corked = true
      socket.cork()
    }
    writeText()
    return write.call(socket, chunk, encoding, callback)
  }
  return true
}

function isCorkable(stream: unknown): stream is Corkable {
  const { write, cork, uncork } = (stream ?? {}) as Partial<Record<keyof Corkable, unknown>>
  return typeof write === 'function' && typeof cork === 'function' && typeof uncork === 'function'
}
