import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

const watched = new Map<number, string>()
let isHooked = false

/**
 * Sees to it that a server ends with this process, whatever ends it, and its folder with it. A shell waits for the pipe
 * to this process to close, which happens even when this process is killed; SIGKILL reaches a stopped server too.
 * Gives a function that ends the watch, to be called when the server has ended.
 */
export function watchOver(pid: number, folder: string): () => void {
  const script = 'read word; [ "$word" = done ] && exit; kill -9 "$1" 2>/dev/null; sleep 0.1; rm -rf "$2"'
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  const pipe = guard.stdin as unknown as NodeJS.WritableStream & { unref(): void }
  pipe.unref()
  pipe.on('error', () => {})
  watched.set(pid, folder)
  hook()
  return () => {
    watched.delete(pid)
    pipe.end('done\n')
  }
}

function hook(): void {
  if (isHooked) return
  isHooked = true
  process.on('exit', () => {
    for (const [pid, folder] of watched) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended already.
      }
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
