import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['redis-server', 'valkey-server']

/** Whether a server is there without installing one. */
export function canFindRedisServer(): boolean {
  return lookUp() !== undefined
}

/**
 * Finds a Redis (or Valkey) server: `REDIS_SERVER`, else one on PATH, else, on a machine with apt and root, installs
 * Debian's. Throws an error that says what to do where none can be had.
 */
export function findRedisServer(): string {
  const found = lookUp() ?? install()
  if (found) return found
  throw new Error(
    'No redis-server was found. Install Redis or Valkey, or set REDIS_SERVER to the path of a server binary.',
  )
}

function lookUp(): string | undefined {
  const named = process.env.REDIS_SERVER
  if (named) {
    if (isExecutable(named)) return named
    throw new Error(`REDIS_SERVER is ${JSON.stringify(named)}, which is not an executable file.`)
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function install(): string | undefined {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) return undefined
  process.stderr.write('No redis-server was found: installing it with apt-get.\n')
  // RUNLEVEL keeps the package from starting a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as const }
  execFileSync('apt-get', ['update', '-qq'], options as never)
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], options as never)
  return lookUp()
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
