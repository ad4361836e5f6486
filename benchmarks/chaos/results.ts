import { findRedisServer } from '@holdfast-internal/test-fixtures'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What was put under faults. */
export type Part = 'sessions' | 'caches'

/** What came of one part. */
export interface Results {
  readonly part: Part
  readonly subject: string
  /** What was done to it, in a sentence. */
  readonly load: string
  /** As a Markdown table. */
  readonly table: string
  /** Left out where nothing is judged. */
  readonly outOfBounds?: readonly string[]
}

/** Where `--write` puts the results. */
export function resultsFile(isPeer: boolean): URL {
  return new URL(`../../docs/chaos-results${isPeer ? '-peers' : ''}.md`, import.meta.url)
}

const parts: readonly Part[] = ['sessions', 'caches']

/** Makes a page of results, in which parts that did not run now stay as they were in the page of before. */
export function resultsPage(results: readonly Results[], before: string, on: Date): string {
  const sections = parts.map((part) => {
    const found = results.find((result) => result.part === part)
    if (found) return sectionOf(found, on)
    const start = before.indexOf(`## ${headingOf(part)}`)
    if (start < 0) return undefined
    const end = before.indexOf('\n## ', start)
    return before.slice(start, end < 0 ? undefined : end).trimEnd()
  })
  return `# The fault table

Written by \`npm run chaos -- --write\`; \`benchmarks/README.md\` tells how to read it.

${sections.filter((section) => section !== undefined).join('\n\n')}
`
}

function sectionOf({ part, subject, load, table, outOfBounds }: Results, on: Date): string {
  const verdict =
    outOfBounds &&
    (outOfBounds.length === 0 ? 'Every row is within bounds.' : `Out of bounds: ${outOfBounds.join('; ')}.`)
  return [
    `## ${headingOf(part)}: ${subject}`,
    `${on.toISOString().slice(0, 10)}, ${versions(part)}. ${load}`,
    table,
    ...(verdict ? [verdict] : []),
  ].join('\n\n')
}

function headingOf(part: Part): string {
  return part === 'sessions' ? 'Sessions' : 'Caches'
}

const involved: Readonly<Record<Part, readonly string[]>> = {
  sessions: ['express', 'express-session', 'ioredis', 'redis', 'connect-redis'],
  caches: ['ioredis', 'redis', 'cacheable', '@keyv/redis'],
}

function versions(part: Part): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const pinned = (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies
  const server = /v=(\S+)/.exec(execFileSync(findRedisServer(), ['--version'], { encoding: 'utf8' }))?.[1]
  const machine = `${cpus().length} cores`
  return [
    `Node ${process.version}`,
    `Redis ${server}`,
    ...involved[part].map((name) => `${name} ${pinned[name]}`),
    machine,
  ].join(', ')
}
