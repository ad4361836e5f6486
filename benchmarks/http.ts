import { once } from 'node:events'
import { connect } from 'node:net'

/** What was answered. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** One kept connection to a server on this machine, one request at a time. */
export interface Caller {
  ask(request: string): Promise<Answer>
  close(): void
}

/**
 * Connects. Costs a small part of what `node:http` does, so that it is the server which is measured. Reads answers that
 * give their `content-length`, as Express' do.
 */
export async function openCaller(port: number): Promise<Caller> {
  const socket = connect({ port, host: '127.0.0.1' }).setNoDelay(true).setEncoding('latin1')
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined
  let received = ''

  socket.on('data', (chunk: string) => {
    received += chunk
    const head = received.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/content-length: *(\d+)/i.exec(received)?.[1])
    if (received.length < head + 4 + length) return
    const answer = { status: Number(received.slice(9, 12)), body: received.slice(head + 4) }
    received = ''
    waiting?.resolve(answer)
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  await once(socket, 'connect')

  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (!socket.writable) return reject(new Error('the server has closed the connection'))
        waiting = { resolve, reject }
        socket.write(request, 'latin1')
      }),
    close: () => socket.destroy(),
  }
}

/** The bytes of a request without a body. */
export function requestOf(method: string, path: string, cookie: string): string {
  const body = method === 'POST' ? 'Content-Length: 0\r\n' : ''
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n${body}\r\n`
}
