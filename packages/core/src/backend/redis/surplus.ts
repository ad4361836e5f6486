import { Command, type Redis } from 'ioredis'

/** The first byte of what RESP3 servers send without being asked. */
const push = '>'.charCodeAt(0)

/**
 * Notices bytes that arrive although nothing was asked: the replies before them went to who knows which commands. ioredis
 * tells of most by an error, but throws at a surplus `null`, on a tick of its own where nobody can catch it, which would
 * end the process (`DataHandler.shiftCommand`, 6.0.0).
 */
export function onSurplusReply(node: Redis, callback: () => void): void {
  intercept(node, callback, (chunk) => node.commandQueue.length === 0 && chunk[0] !== push)
}

/** The same for a connection that listens: messages come unasked there, in chunks that begin anywhere. */
export function onUndecodable(node: Redis, callback: () => void): void {
  intercept(node, callback, () => false)
}

function intercept(node: Redis, callback: () => void, isSurplus: (chunk: Buffer) => boolean): void {
  const { stream, commandQueue } = node
  const [decode] = stream.listeners('data') as ((chunk: Buffer) => void)[]
  if (!decode) return
  let isDecoding = false
  const shift = commandQueue.shift.bind(commandQueue)
  commandQueue.shift = () => {
    const item = shift()
    // What cannot be decoded makes ioredis stop listening, and empty the queue: that has to come to an end.
    if (item || !isDecoding || stream.listenerCount('data') === 0) return item
    callback()
    return { command: nobodys(), stream, select: 0 }
  }
  stream.removeListener('data', decode)
  stream.prependListener('data', (chunk: Buffer) => {
    if (isSurplus(chunk)) return callback()
    isDecoding = true
    decode.call(stream, chunk)
    isDecoding = false
  })
}

/** Takes a reply that answers no command. */
function nobodys(): Command {
  const command = new Command('ping')
  void command.promise.catch(() => undefined)
  return command
}
