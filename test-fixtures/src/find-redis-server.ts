import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const names = ['redis-server', 'valkey-server']

/** Whether a server is there, without installing one. */
export function canFindRedisServer(): boolean {
  return lookUp() !== undefined
}

/**
 * Finds a Redis (or Valkey) server: `REDIS_SERVER`, else one on PATH, else, on a machine with apt and root, installs
 * Debian's. Throws an error that says what to do where none can be had.
 */
export function findRedisServer(): string {
  const found = lookUp() ?? install()
  if (found !== undefined) return found
  throw new Error(
    'No redis-server was found. Install Redis 7 or Valkey, or set REDIS_SERVER to the path of a server binary.',
  )
}

function lookUp(): string | undefined {
  const named = process.env.REDIS_SERVER
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return named
    throw new Error(`REDIS_SERVER is ${JSON.stringify(named)}, which is not an executable file.`)
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

/**
 * The package enables and starts a system service: a policy that forbids it is put in place for as long as that takes.
 * One process installs while others wait for it.
 */
const installation = `
command -v redis-server && exit
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
fi
apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server
`

function install(): string | undefined {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) return undefined
  process.stderr.write('No redis-server was found: installing it (apt-get install redis-server).\n')
  spawnSync('flock', [join(tmpdir(), 'holdfast-apt-get.lock'), 'sh', '-c', installation], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return lookUp()
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
