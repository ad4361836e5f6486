import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findRedisServer } from './find-redis-server.ts'
import { freePort } from './free-port.ts'
import type { RedisServer } from './redis-server.ts'
import { connectResp, type RespClient } from './resp.ts'
import { startGuarded, type GuardedServer } from './server-guard.ts'

interface Place {
  readonly port: number
  readonly folder: string
}

interface ServerOptions {
  readonly port?: number
  readonly password?: string
  /** The server's arguments, asked for at each start. */
  arguments(place: Place): string[]
  /** Removes the data that a start would load. */
  empty(folder: string): void
}

/** Starts redis-server in any of its modes; see {@link RedisServer}. */
export async function startServer(options: ServerOptions): Promise<RedisServer> {
  const binary = findRedisServer()
  for (let attempt = 0; ; attempt++) {
    const port = options.port ?? (await freePort())
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
    const server = createServer(binary, { port, folder }, options)
    try {
      await server.restart()
      return server
    } catch (error) {
      await server.stop()
      // Somebody else took the port in the meantime.
      if (options.port === undefined && attempt < 10 && /in use/.test(String(error))) continue
      throw error
    }
  }
}

function createServer(binary: string, place: Place, options: ServerOptions): RedisServer {
  const { port, folder } = place
  const auth = options.password === undefined ? {} : { password: options.password }
  const control = connectResp(port, '127.0.0.1', auth)
  let server: GuardedServer | undefined

  async function end(): Promise<void> {
    await server?.end()
    // It would find out by itself, but later than whoever uses it next.
    control.close()
  }

  return {
    host: '127.0.0.1',
    port,
    url: `redis://${options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`}127.0.0.1:${port}`,
    control,
    get pid() {
      return server?.pid ?? 0
    },
    get running() {
      return server?.running ?? false
    },
    async kill({ keepData = false } = {}) {
      if (keepData) await control.command('SAVE')
      await end()
    },
    async restart({ empty = false, args = [] } = {}) {
      await end()
      server?.dismiss()
      if (empty) options.empty(folder)
      server = startGuarded(binary, [...options.arguments(place), ...args], folder)
      await answers(server, control, folder)
    },
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
    async stop() {
      await end()
      rmSync(folder, { recursive: true, force: true })
      server?.dismiss()
    },
  }
}

/** Waits until this very server answers, and not another one that has its port. */
async function answers(server: GuardedServer, control: RespClient, folder: string): Promise<void> {
  const isLate = pause(10_000, 'late', { ref: false })
  while (server.running) {
    const state = await Promise.race([isItself(server, control), server.ended, isLate])
    if (state === true) return
    if (state === 'late') throw new Error('redis-server does not answer.')
    await pause(2)
  }
  throw new Error(`redis-server ended at its start:\n${readFileSync(join(folder, 'log'), 'utf8')}`)
}

/** One that is loading its data, or refuses us for another reason, answers as well. */
async function isItself(server: GuardedServer, control: RespClient): Promise<boolean> {
  const pong = await control.command('PING').catch((error: Error) => error)
  const info = await control.command('INFO', 'server').catch((error: Error) => error)
  if (isOfSocket(pong) || isOfSocket(info)) return false
  return info instanceof Error || String(info).includes(`process_id:${server.pid}\r\n`)
}

function isOfSocket(reply: unknown): boolean {
  return reply instanceof Error && !/^[A-Z]+ /.test(reply.message)
}
