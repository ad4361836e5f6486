import { connect, type Socket } from 'node:net'
import { parseReply, type RespReply } from './resp-reply.ts'

/** A small RESP2 client of our own, so that a fault is never made through the client under test. */
export interface RespClient {
  /** Sends a command and gives its reply; a reply that is an error rejects with the server's message. */
  command(...args: (string | Buffer)[]): Promise<RespReply>
  /** Closes the connection and rejects what is unanswered. */
  close(): void
}

interface Waiting {
  readonly resolve: (reply: RespReply) => void
  readonly reject: (error: Error) => void
}

/**
 * Gives a connection that opens with its first command, and again with the next one after the server was away. Commands
 * are answered in order and never sent twice.
 */
export function connectResp(
  port: number,
  host = '127.0.0.1',
  { password }: { readonly password?: string } = {},
): RespClient {
  let socket: Socket | undefined
  let received = Buffer.alloc(0)
  const waiting: Waiting[] = []

  function open(): Socket {
    const opened = connect({ port, host, noDelay: true })
    socket = opened
    opened.on('data', (chunk) => {
      if (socket !== opened) return
      received = Buffer.concat([received, chunk])
      try {
        answer(opened)
      } catch (error) {
        lose(opened, error as Error)
      }
    })
    opened.on('error', (error) => lose(opened, error))
    for (const event of ['end', 'close']) opened.on(event, () => lose(opened, closed()))
    // What is wrong with the password is told by the command that follows.
    if (password !== undefined) send(opened, ['AUTH', password]).catch(() => undefined)
    return opened
  }

  function send(to: Socket, args: (string | Buffer)[]): Promise<RespReply> {
    to.ref()
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      to.write(encode(args))
    })
  }

  function answer(from: Socket): void {
    for (let parsed = parseReply(received); parsed; parsed = parseReply(received)) {
      received = received.subarray(parsed.end)
      const next = waiting.shift()
      if (parsed.reply instanceof Error) next?.reject(parsed.reply)
      else next?.resolve(parsed.reply)
    }
    // An idle control connection keeps no process alive.
    if (waiting.length === 0) from.unref()
  }

  function lose(lost: Socket, reason: Error): void {
    if (socket !== lost) return
    socket = undefined
    lost.destroy()
    received = Buffer.alloc(0)
    for (const { reject } of waiting.splice(0)) reject(reason)
  }

  return {
    command: (...args) => send(socket ?? open(), args),
    close() {
      if (socket) lose(socket, closed())
    },
  }
}

function closed(): Error {
  return new Error('The control connection was closed.')
}

function encode(args: (string | Buffer)[]): Buffer {
  const parts = args.flatMap((arg) => {
    const bytes = Buffer.from(arg as string)
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]
  })
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts])
}
