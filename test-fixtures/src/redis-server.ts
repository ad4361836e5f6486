import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { findRedisServer } from './find-redis-server.ts'
import { connectResp, type RespClient } from './resp.ts'
import { watchOver } from './watchdog.ts'

export interface RedisOptions {
  /** Further arguments for the server, as in `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[]
  readonly port?: number
  readonly password?: string
}

/** A real Redis on a loopback port of its own. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly pid: number
  readonly running: boolean
  /** A raw connection that is none of those under test. */
  readonly control: RespClient
  /** Ends it with SIGKILL; with `keepData` what it holds is there again after {@link RedisServer.restart}. */
  kill(options?: { keepData?: boolean }): Promise<void>
  /** Starts it again on the same port; `args` add to those of the start. */
  restart(options?: { empty?: boolean; args?: readonly string[] }): Promise<void>
  /** Stops it as it is (SIGSTOP): connections stay open and say nothing. */
  freeze(): void
  thaw(): void
  /** Ends it for good, and removes its folder. */
  stop(): Promise<void>
}

/** Starts a real Redis and resolves once it answers. Nothing is left of it when this process ends, however it ends. */
export async function startRedis({ args = [], port, password }: RedisOptions = {}): Promise<RedisServer> {
  const binary = findRedisServer()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
  const ownPort = port ?? (await freePort())
  const control = connectResp(ownPort, password === undefined ? {} : { password })
  let child: ChildProcess | undefined

  async function launch(more: readonly string[] = []): Promise<void> {
    const settings = ['--port', String(ownPort), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
    const auth = password === undefined ? [] : ['--requirepass', password]
    const launched = spawn(binary, [...settings, '--enable-debug-command', 'yes', '--enable-protected-configs', 'yes', ...auth, ...args, ...more], {
      stdio: 'ignore',
    })
    child = launched
    const release = watchOver(launched.pid!, folder)
    launched.once('exit', release)
    await eventually(async () => {
      if (launched.exitCode !== null) throw new Error(`redis-server ended with ${launched.exitCode}`)
      // One that is loading its data answers too, with an error.
      await control.command('PING').catch((error: Error) => {
        if (!error.message.startsWith('LOADING')) throw error
      })
    }, { every: 4 })
  }

  async function end(): Promise<void> {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    ending.kill('SIGKILL')
    await once(ending, 'exit')
  }

  await launch()
  return {
    host: '127.0.0.1',
    port: ownPort,
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${ownPort}`,
    control,
    get pid() {
      return child?.pid ?? 0
    },
    get running() {
      return child !== undefined
    },
    async kill({ keepData = false } = {}) {
      if (keepData) await control.command('SAVE')
      await end()
    },
    async restart({ empty = false, args: more } = {}) {
      await end()
      if (empty) rmSync(join(folder, 'dump.rdb'), { force: true })
      await launch(more)
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await end()
      control.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port below those that the system hands out by itself, so that nobody takes it between two starts. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
