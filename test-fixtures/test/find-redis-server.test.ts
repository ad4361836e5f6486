import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { canFindRedisServer, findRedisServer } from '../src/index.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-path-'))
  vi.stubEnv('PATH', folder)
  vi.stubEnv('REDIS_SERVER', '')
  onTestFinished(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true })
  })
})

function program(name: string, script = ''): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

function asUser(id: number): void {
  vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(id)
}

describe('looking for a server', () => {
  it('takes what REDIS_SERVER names, and nothing else in its place', () => {
    program('redis-server')
    const named = program('another')
    vi.stubEnv('REDIS_SERVER', named)
    expect(findRedisServer()).toBe(named)
    vi.stubEnv('REDIS_SERVER', '/nowhere')
    expect(() => findRedisServer()).toThrow('REDIS_SERVER is "/nowhere"')
  })

  it('takes Redis before Valkey, from PATH', () => {
    const valkey = program('valkey-server')
    expect(findRedisServer()).toBe(valkey)
    expect(findRedisServer()).toBe(valkey)
    const redis = program('redis-server')
    expect(findRedisServer()).toBe(redis)
    expect(canFindRedisServer()).toBe(true)
  })

  it('says what to do where there is none and none can be installed', () => {
    asUser(1_000)
    program('apt-get')
    expect(canFindRedisServer()).toBe(false)
    expect(() => findRedisServer()).toThrow(/REDIS_SERVER/)
  })

  it('installs one as root, without its service, and says so', () => {
    asUser(0)
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    // Stand-ins for flock, the shell and apt-get: what is asked for is what counts.
    program('flock', 'shift; exec "$@"')
    program('sh', `echo "$DEBIAN_FRONTEND" >>${folder}/asked; /bin/sh "$@"`)
    program(
      'apt-get',
      `echo "$@" >>${folder}/asked; [ "$1" != install ] || { echo >${folder}/redis-server; /bin/chmod +x ${folder}/redis-server; }`,
    )
    expect(canFindRedisServer()).toBe(false)
    expect(findRedisServer()).toBe(join(folder, 'redis-server'))
    expect(readFileSync(join(folder, 'asked'), 'utf8').split('\n')).toEqual([
      '--version',
      'noninteractive',
      'update -qq',
      'install -y -qq --no-install-recommends redis-server',
      '',
    ])
    expect(said.mock.calls.join()).toContain('installing it')
  })
})
