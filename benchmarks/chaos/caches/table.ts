import { timeOnTheWay } from '../faults.ts'
import { areOneEachWay, inWords } from '../telling.ts'
import type { CacheRow } from './row.ts'

/** Limits, in ms but for `factories` and `losses`. The rest of what is promised is zero. */
export interface CacheBounds {
  /** How much more than the factories themselves took. */
  readonly p99: number
  readonly factories: number
  readonly recovery: number
  /** How often Redis may be lost by one fault. */
  readonly losses: number
}

/** By default a process runs 64 factories at once while the cache helps it less than usual. */
const promised: CacheBounds = { p99: 5, factories: 64, recovery: 1_000, losses: 1 }
/** On a machine that is busy with other tests milliseconds only tell an answer from a hang. */
export const onBusyMachine: CacheBounds = { p99: Infinity, factories: 64, recovery: 4_000, losses: 3 }

/** Where a row is out of bounds; empty where it keeps them. */
export function cacheViolations(row: CacheRow, limits: CacheBounds = promised): string[] {
  const bounds: [isKept: boolean, what: string][] = [
    [row.failed === 0, `${row.failed} calls failed (${row.failures.join('; ')})`],
    [row.hung === 0, `${row.hung} calls hung`],
    [
      row.p99 < row.factoryP99 + limits.p99 + timeOnTheWay(row.fault),
      `p99 ${row.p99.toFixed(1)} ms (factories ${row.factoryP99.toFixed(1)}, before the fault ${row.before.toFixed(1)} ms)`,
    ],
    [row.factories <= limits.factories, `${row.factories} factories at once`],
    [
      row.recovery < limits.recovery,
      `recovery ${Number.isNaN(row.recovery) ? 'never seen' : `${row.recovery} ms`}`,
    ],
    [row.stale === 0, `${row.stale} stale values after recovery`],
    [areOneEachWay(row.lines, limits.losses), `log lines ${inWords(row.lines)}`],
    [row.uncaught === 0, `${row.uncaught} uncaught errors`],
  ]
  return bounds
    .filter(([isKept]) => !isKept)
    .map(([, what]) => `${row.application}, ${row.fault}, ${row.client}: ${what}`)
}

/** Prints rows as a Markdown table. */
export function cacheTableOf(rows: readonly CacheRow[]): string {
  const head = [
    'application',
    'fault',
    'client',
    'calls',
    'failed',
    'hung',
    'p99 before, ms',
    'p99 ms',
    'p99 of factories, ms',
    'worst ms',
    'factories at once',
    'recovery ms',
    'stale after it',
    'log lines',
    'uncaught',
  ]
  const body = rows.map((row) => [
    row.application,
    row.fault,
    row.client,
    row.calls,
    row.failed,
    row.hung,
    Number.isNaN(row.before) ? '-' : row.before.toFixed(1),
    row.p99.toFixed(1),
    row.factoryP99.toFixed(1),
    row.worst.toFixed(0),
    row.factories,
    Number.isNaN(row.recovery) ? '-' : row.recovery,
    row.stale,
    inWords(row.lines),
    row.uncaught,
  ])
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
