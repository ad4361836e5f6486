import 'reflect-metadata'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import * as reference from '@nestjs/cache-manager'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { behaviours } from './behaviours.ts'
import { expected } from './beyond.ts'
import type { Kit } from './kit.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../', import.meta.url))
const bin = fileURLToPath(new URL('../../../node_modules/.bin/', import.meta.url))
const folders: string[] = []

let redis: RedisServer
let built: string
/** What an application on NestJS 12 sees of `@nestjs/cache-manager`. */
let theirs: unknown
let theirsOnFastify: unknown

beforeAll(async () => {
  redis = await startRedis()
  built = await folder()
  // What is published, of the sources as they are now; other tests check the types.
  const outDir = join(built, 'dist')
  await run(join(bin, 'tsc'), [
    '-p',
    root,
    '--outDir',
    outDir,
    '--noCheck',
    '--declaration',
    'false',
    '--declarationMap',
    'false',
    '--isolatedDeclarations',
    'false',
  ])
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, Record<string, string>>
  }
  theirs = await seenOfTheirs(ExpressAdapter)
  theirsOnFastify = await seenOfTheirs(FastifyAdapter, 'the interceptor')
  for (const conditions of Object.values(manifest.exports)) delete conditions['@holdfast/source']
  await writeFile(join(built, 'package.json'), JSON.stringify(manifest))
})

afterAll(async () => {
  await redis.stop()
  for (const path of folders) await rm(path, { recursive: true, force: true })
})

async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-nest-')))
  folders.push(path)
  return path
}

/** Installs the package beside a NestJS as a package manager does, and gives the folder of the application. */
async function install(nest: string): Promise<string> {
  const app = await folder()
  const modules = join(app, 'node_modules')
  const theirs = join(here, nest, 'node_modules')
  await mkdir(join(modules, '@holdfast'), { recursive: true })
  await mkdir(join(modules, '@nestjs'))
  for (const name of ['common', 'core', 'platform-express', 'platform-fastify', 'terminus'])
    await symlink(await realpath(join(theirs, '@nestjs', name)), join(modules, '@nestjs', name))
  for (const name of ['rxjs', 'reflect-metadata'])
    await symlink(await realpath(join(theirs, name)), join(modules, name))
  await symlink(await realpath(join(root, '../core')), join(modules, '@holdfast/core'))
  await cp(built, join(modules, '@holdfast/cache-nestjs'), { recursive: true })
  await cp(join(here, 'application.cjs'), join(app, 'application.cjs'))
  return app
}

describe('a CommonJS application sees what one on NestJS 12 sees of @nestjs/cache-manager, and what is beyond', () => {
  it.concurrent.each(['nest-10', 'nest-11'])(
    '%s',
    async (nest) => {
      const app = await install(nest)
      const major = nest.slice('nest-'.length)
      const { stdout, stderr } = await run(
        process.execPath,
        [
          '--conditions=@holdfast/source',
          '--disable-warning=ExperimentalWarning',
          join(app, 'application.cjs'),
          here,
        ],
        // A database for each. It has to end by itself.
        { env: { ...process.env, REDIS_URL: `${redis.url}/${major}` }, timeout: 30_000 },
      )
      expect(stderr).toBe('')
      const seen = JSON.parse(stdout) as Record<string, any>
      expect(seen['version']).toMatch(new RegExp(`^${major}\\.`))
      expect(seen['behaviours']).toEqual(theirs)
      expect(seen['fastify']).toEqual(theirsOnFastify)
      expect(seen['beyond']).toEqual(plain(expected))
    },
    40_000,
  )
})

async function seenOfTheirs(adapter: unknown, start = ''): Promise<unknown> {
  const kit = { common, core, cache: reference, adapter: adapter as Kit['adapter'] }
  const seen: Record<string, unknown> = {}
  for (const [name, see] of Object.entries(behaviours))
    if (name.startsWith(start)) seen[name] = plain(await see(kit))
  return seen
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
