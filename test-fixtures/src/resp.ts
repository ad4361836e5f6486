import { connect, type Socket } from 'node:net'

export type RespReply = string | number | null | RespReply[]

/** A small RESP2 client of our own, so that a fault is never made through the client under test. */
export interface RespClient {
  command(...args: (string | Buffer)[]): Promise<RespReply>
  close(): void
}

/** Connects lazily, and again after the server was away; commands are answered in order. */
export function connectResp(port: number, { host = '127.0.0.1', password }: { host?: string; password?: string } = {}): RespClient {
  let socket: Socket | undefined
  let received = Buffer.alloc(0)
  let waiting: { resolve: (reply: RespReply) => void; reject: (error: Error) => void }[] = []

  function open(): Socket {
    if (socket) return socket
    const opened = connect({ port, host })
    opened.setNoDelay(true)
    opened.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      drain()
    })
    const lose = (error?: Error): void => {
      if (socket !== opened) return
      socket = undefined
      received = Buffer.alloc(0)
      for (const { reject } of waiting.splice(0)) reject(error ?? new Error('control connection closed'))
    }
    opened.on('error', lose)
    opened.on('close', () => lose())
    opened.unref()
    socket = opened
    if (password !== undefined) send(['AUTH', password]).catch(() => {})
    return opened
  }

  function send(args: (string | Buffer)[]): Promise<RespReply> {
    const parts = [Buffer.from(`*${args.length}\r\n`)]
    for (const arg of args) {
      const bytes = Buffer.from(arg)
      parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
    }
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      socket!.write(Buffer.concat(parts))
    })
  }

  function drain(): void {
    for (;;) {
      const parsed = parse(received, 0)
      if (!parsed) return
      received = received.subarray(parsed.end)
      const next = waiting.shift()
      if (parsed.error) next?.reject(new Error(parsed.error))
      else next?.resolve(parsed.reply)
    }
  }

  return {
    command: (...args) => {
      open()
      return send(args)
    },
    close() {
      waiting = []
      socket?.destroy()
      socket = undefined
    },
  }
}

interface Parsed {
  readonly reply: RespReply
  readonly error?: string
  readonly end: number
}

function parse(bytes: Buffer, at: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[at]!)) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: null, error: line, end }
    case ':':
      return { reply: Number(line), end }
    case '$': {
      const length = Number(line)
      if (length < 0) return { reply: null, end }
      if (bytes.length < end + length + 2) return undefined
      return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
    }
    case '*': {
      const items: RespReply[] = []
      let next = end
      for (let i = 0; i < Number(line); i++) {
        const item = parse(bytes, next)
        if (!item) return undefined
        items.push(item.reply)
        next = item.end
      }
      return { reply: items, end: next }
    }
    default:
      throw new Error('not RESP')
  }
}
