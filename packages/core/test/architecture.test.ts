import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../src')

/** The floors of the house, lowest first; an import goes down, or stays on its floor. */
const floors: Readonly<Record<string, number>> = {
  'errors.ts': 0,
  'clock.ts': 0,
  'units.ts': 0,
  'soon.ts': 0,
  'events.ts': 0,
  'known-options.ts': 0,
  'lru.ts': 0,
  'keys.ts': 1,
  'ttl.ts': 1,
  envelope: 1,
  backend: 2,
  availability: 2,
  degradation: 3,
  session: 4,
  cache: 4,
  config: 4,
  'options.ts': 5,
  'option-names.ts': 5,
  'holdfast.ts': 5,
  adapter: 5,
  'index.ts': 6,
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

function floorOf(file: string): number {
  const floor = floors[file.split('/')[0]!]
  if (floor === undefined) throw new Error(`${file} stands on no floor`)
  return floor
}

function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8')
  return [...source.matchAll(/from '(\.[^']+)'/g)].map(([, to]) =>
    relative(root, resolve(root, dirname(file), to!)),
  )
}

describe('the house', () => {
  it.each(files)('%s imports downwards only', (file) => {
    for (const imported of importsOf(file))
      expect(floorOf(imported), imported).toBeLessThanOrEqual(floorOf(file))
  })

  it('depends on ioredis and lru-cache and on nothing else', () => {
    const outside = files.flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8')
      return [...source.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name!)
    })
    const packages = new Set(outside.filter((name) => !name.startsWith('node:')))
    expect([...packages].sort()).toEqual(['ioredis', 'lru-cache'])
  })

  it('explains every error code, and none that does not exist', () => {
    const source = readFileSync(join(root, 'errors.ts'), 'utf8')
    const docs = readFileSync(resolve(root, '../../../docs/errors.md'), 'utf8')
    const known = new Set([...source.matchAll(/\| '(ERR_HOLDFAST_\w+)'/g)].map(([, code]) => code))
    const explained = new Set([...docs.matchAll(/^\| `(ERR_HOLDFAST_\w+)`/gm)].map(([, code]) => code))
    expect(explained).toEqual(known)
  })
})
