import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** A process that ends with this one, whatever ends it. */
export interface GuardedProcess {
  readonly pid: number
  readonly running: boolean
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>
  signal(name: NodeJS.Signals): void
  /** Ends it with SIGKILL, which reaches a stopped process too, and waits until it is gone. */
  end(): Promise<void>
}

/**
 * Starts a server that ends with this process, even if this process is killed, and whose folder is removed then. Its
 * output goes to `log` in that folder.
 *
 * A shell waits for the pipe to this process to close, which the system sees to however this process ends (also when it
 * is a worker thread that is terminated). The server itself is started by the word that says that its guard is in place.
 */
export function startGuarded(binary: string, args: readonly string[], folder: string): GuardedProcess {
  const script = 'read word && exec "$@" </dev/null >>"$0/log" 2>&1'
  const server = spawnShell(script, folder, binary, ...args)
  const guard = spawnShell(
    'read word; [ "$word" = done ] && exit; kill -9 "$1"; sleep 0.1; rm -rf "$0"',
    folder,
    String(server.pid),
  )
  for (const { stdin } of [server, guard]) stdin!.on('error', () => undefined)
  unref(guard)
  const forget = endWithThisProcess(server, folder)
  server.once('exit', () => {
    forget()
    guard.stdin!.end('done\n')
  })
  server.stdin!.end('go\n')
  unref(server.stdin as PipeToShell)

  const ended = once(server, 'exit')
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
  }
}

type PipeToShell = Writable & { unref(): void }

/** Starts a shell script in a session of its own, so that a Ctrl-C in the terminal does not end the guard first. */
function spawnShell(script: string, ...args: string[]): ChildProcess {
  return spawn('/bin/sh', ['-c', script, ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
}

/** Lets this process end while a guard still waits. */
function unref(one: ChildProcess | PipeToShell): void {
  one.unref()
  if ('stdin' in one) (one.stdin as PipeToShell).unref()
}

const running = new Map<ChildProcess, string>()

/** Spares a process that ends by itself the tenth of a second that the guard takes. */
function endWithThisProcess(server: ChildProcess, folder: string): () => void {
  if (running.size === 0) process.on('exit', endAll)
  running.set(server, folder)
  return () => {
    running.delete(server)
    if (running.size === 0) process.off('exit', endAll)
  }
}

function endAll(): void {
  for (const [server, folder] of running) {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
