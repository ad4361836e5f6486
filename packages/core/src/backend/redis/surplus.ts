import type { Redis } from 'ioredis'

/** The first byte of what RESP3 servers send without being asked. */
const push = '>'.charCodeAt(0)

/**
 * Notices bytes that arrive although nothing was asked: the replies before them went to who knows which commands. ioredis
 * tells of most by an error, but throws out of the socket at a surplus `null`, which would end the process
 * (`DataHandler.shiftCommand`, 6.0.0).
 */
export function onSurplusReply(node: Redis, callback: () => void): void {
  const { stream } = node
  const [decode] = stream.listeners('data')
  if (!decode) return
  const listener = decode as (chunk: Buffer) => void
  stream.removeListener('data', listener)
  stream.prependListener('data', (chunk: Buffer) => {
    if (node.commandQueue.length === 0 && chunk[0] !== push) callback()
    else listener.call(stream, chunk)
  })
}
