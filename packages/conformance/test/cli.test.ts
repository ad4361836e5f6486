import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const fixture = (name: string): string => fileURLToPath(new URL(`cli-fixtures/${name}.ts`, import.meta.url))

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(...words: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@holdfast/source', cli, ...words],
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

describe('holdfast-conformance', { concurrent: true, timeout: 30_000 }, () => {
  it('ends with 0 and says of each promise that it passed, or is not claimed and why', async () => {
    const { code, out, err } = await run(fixture('good'))
    expect(out).toMatch(/^Holdfast conformance of the backend "good"\nclaims: sets\n/)
    expect(out).toContain('  passed       replaces what a key held  (healthy)')
    expect(out).toContain('  not claimed  delivers to other clients\n')
    expect(out).toContain('capabilities.shared is false')
    expect(out).toContain('the subject offers no fault.cut')
    expect(out).toMatch(/\d+ promises: \d+ passed, 0 failed, \d+ not claimed\n/)
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it('reads a cache too', async () => {
    const { code, out, err } = await run(fixture('cache'), '--only', 'tells null')
    expect(out).toMatch(
      /^Holdfast conformance of the cache "good cache"\nclaims: grace, close, has, getMany, setMany, /,
    )
    expect(out).toContain('  passed       tells null, which is a value, from nothing  (healthy)')
    expect(out).toContain('\n2 promises: 2 passed, 0 failed, 0 not claimed\n')
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it.each([
    ['my-backend', 'never says "not there" when it cannot ask'],
    ['my-cache', 'takes what is foreign or corrupt for a miss'],
    ['my-cache', 'makes what it cannot ask for'],
  ])('runs %s, the README’s example: it %s', async (name, only) => {
    const { code, out } = await run(fixture(`${name}.conformance`), '--only', only)
    expect(out).toContain(`  passed       ${only}`)
    expect(out).toContain(' 0 failed, 0 not claimed\n')
    expect(code).toBe(0)
  })

  it('ends with 2 and says what to do where this Node cannot import the file', async () => {
    const { code, err } = await run(fixture('not-for-node').replace(/ts$/, 'tsx'))
    expect(err).toContain('not-for-node.tsx: this Node cannot import it (Unknown file extension ".tsx"')
    expect(err).toContain('--experimental-strip-types')
    expect(code).toBe(2)
  })

  it('ends with 1 and says what failed, in which state and how', async () => {
    const { code, out } = await run(fixture('bad'), '--only', 'replaces what a key held')
    expect(out).toContain(
      '  FAILED       replaces what a key held\n               healthy: the entry should be "second"',
    )
    expect(code).toBe(1)
  })

  it('ends with 1 where an error goes astray', async () => {
    const { code, out } = await run(fixture('astray'), '--only', 'answers a ping')
    expect(out).toContain(
      'FAILED       leaves no rejection and no error event unhandled\n               closed: nobody handles me',
    )
    expect(code).toBe(1)
  })

  it('ends with 2 and its usage where it cannot run', async () => {
    const runs = await Promise.all([
      run(),
      run('--what'),
      run('no-such-file.js'),
      run(cli.replace('cli.ts', 'index.ts')),
    ])
    expect(runs.map(({ code }) => code)).toEqual([2, 2, 2, 2])
    expect(
      runs.map(({ err }) =>
        /a file is needed|unknown option --what|no-such-file|no default export/.test(err),
      ),
    ).not.toContain(false)
    expect((await run(fixture('good'), '--only', 'no such promise')).code).toBe(2)
  })

  it('prints JSON on request, and its usage', async () => {
    const { out } = await run(fixture('good'), '--only', 'answers a ping', '--json')
    expect(JSON.parse(out)).toMatchObject({ subject: 'good', kind: 'backend', claims: ['sets'] })
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--only <text>') })
  })
})
