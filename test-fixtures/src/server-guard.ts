import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** A server that ends with this process, whatever ends it. */
export interface GuardedServer {
  readonly pid: number
  readonly running: boolean
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  signal(name: NodeJS.Signals): void
  /** Ends it with SIGKILL, which reaches a stopped process too, and waits until it is gone. */
  end(): Promise<void>
  /** Ends the guard of a server that has ended; from then on its folder is the caller's to remove. */
  dismiss(): void
}

/**
 * Starts a server that ends with this process, even if this process is killed, and whose folder is removed then. Its
 * output goes to `log` in that folder.
 *
 * The guard is a shell that waits for the pipe to this process to close, which the system sees to however this process
 * ends (also when it is a worker thread that is terminated). The server is started by the word that says that its guard
 * is in place.
 */
export function startGuarded(binary: string, args: readonly string[], folder: string): GuardedServer {
  const server = spawnShell(startScript, folder, binary, ...args)
  const guard = spawnShell(guardScript, folder, String(server.pid))
  guard.unref()
  guard.stdin.unref()
  const ended = once(server, 'exit').then(() => void guard.stdin.write('ended\n'))
  server.stdin.end('go\n')
  guarded.set(server, folder)
  if (guarded.size === 1) process.on('exit', endAll)

  const isRunning = (): boolean => server.exitCode === null && server.signalCode === null
  return {
    pid: server.pid!,
    get running() {
      return isRunning()
    },
    ended,
    signal: (name) => void server.kill(name),
    async end() {
      if (isRunning()) server.kill('SIGKILL')
      await ended
    },
    dismiss() {
      guard.stdin.end('dismissed\n')
      guarded.delete(server)
      if (guarded.size === 0) process.off('exit', endAll)
    },
  }
}

const startScript = 'read go && exec "$@" </dev/null >>"$0/log" 2>&1'

const guardScript = `
if read ended; then read dismissed && exit; else kill -9 "$1"; fi
sleep 0.1
rm -rf "$0"
`

type Shell = ChildProcess & { readonly stdin: Writable & { unref(): void } }

/** Starts a shell script in a session of its own, so that a Ctrl-C in the terminal does not end the guard first. */
function spawnShell(script: string, ...args: string[]): Shell {
  const stdio = ['pipe', 'ignore', 'ignore'] as const
  const shell = spawn('/bin/sh', ['-c', script, ...args], { stdio: [...stdio], detached: true }) as Shell
  shell.stdin.on('error', () => undefined)
  return shell
}

const guarded = new Map<ChildProcess, string>()

/** Spares a process that ends by itself the tenth of a second that a guard takes. */
function endAll(): void {
  for (const [server, folder] of guarded) {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
