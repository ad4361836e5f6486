import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RespClient } from './resp.ts'
import { startServer } from './start-server.ts'

export interface RedisOptions {
  /** Further arguments for the server, as in `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[]
  /** A free one below the ephemeral range by default. */
  readonly port?: number
  readonly password?: string
}

/** A real Redis on a loopback port and in a folder of its own. */
export interface RedisServer {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly url: string
  /** That of its last start. */
  readonly pid: number
  readonly running: boolean
  /** A raw connection that is none of those under test. It opens again after a restart. */
  readonly control: RespClient
  /** Ends it with SIGKILL; with `keepData` what it holds is there again after {@link RedisServer.restart}. */
  kill(options?: { keepData?: boolean }): Promise<void>
  /**
   * Starts it again on the same port, with what it last saved, or `empty`; `args` add to those of the first start. It may
   * still be loading its data then.
   */
  restart(options?: { empty?: boolean; args?: readonly string[] }): Promise<void>
  /** Stops it as it is (SIGSTOP): connections stay open, new ones are taken by the kernel, and nobody answers. */
  freeze(): void
  /** Lets it go on (SIGCONT), with all that it was sent while frozen. */
  thaw(): void
  /** Ends it for good, frozen or not, and removes its folder. */
  stop(): Promise<void>
}

/**
 * Starts a real Redis, without persistence unless `args` say otherwise, and resolves once it answers. Nothing is left of
 * it when this process ends, however it ends.
 */
export function startRedis({ args = [], port, password }: RedisOptions = {}): Promise<RedisServer> {
  return startServer({
    ...(port === undefined ? {} : { port }),
    ...(password === undefined ? {} : { password }),
    arguments: (place) => [
      ...['--port', String(place.port), '--bind', '127.0.0.1', '--dir', place.folder],
      ...['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'],
      ...['--enable-debug-command', 'yes', '--enable-protected-configs', 'yes'],
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...args,
    ],
    empty(folder) {
      for (const data of ['dump.rdb', 'appendonlydir'])
        rmSync(join(folder, data), { recursive: true, force: true })
    },
  })
}
