import { findRedisServer } from '@holdfast-internal/test-fixtures'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Row, RowOptions } from './row.ts'
import { tableOf, violations } from './table.ts'

/** Where `--write` puts the results. */
export function resultsFile(store: RowOptions['store']): URL {
  const name = store === 'holdfast' ? 'chaos-results.md' : `chaos-results-${store}.md`
  return new URL(`../../docs/${name}`, import.meta.url)
}

/** Says what was measured, when, with what, and what came of it, as a Markdown page. */
export function resultsPage(rows: readonly Row[], options: Omit<RowOptions, 'client'>, on: Date): string {
  const { store, rate, seconds } = options
  const subject = store === 'holdfast' ? '@holdfast/session-express' : 'express-session with connect-redis'
  const outOfBounds = store === 'holdfast' ? rows.flatMap((row) => violations(row)) : []
  const verdict =
    outOfBounds.length === 0 ? 'Every row is within bounds.' : `Out of bounds: ${outOfBounds.join('; ')}.`
  return `# The fault table: ${subject}

${on.toISOString().slice(0, 10)}, ${versions()}. An Express application under ${rate} requests a second, each fault for ${seconds} s.
Written by \`npm run chaos -- --write${store === 'holdfast' ? '' : ' --peer'}\`; \`benchmarks/README.md\` tells how to read it.

${tableOf(rows)}
${store === 'holdfast' ? `\n${verdict}\n` : ''}`
}

function versions(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const pinned = (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies
  const names = ['express', 'express-session', 'ioredis', 'redis', 'connect-redis']
  const server = /v=(\S+)/.exec(execFileSync(findRedisServer(), ['--version'], { encoding: 'utf8' }))?.[1]
  const machine = `${cpus().length} cores`
  return [
    `Node ${process.version}`,
    `Redis ${server}`,
    ...names.map((name) => `${name} ${pinned[name]}`),
    machine,
  ].join(', ')
}
