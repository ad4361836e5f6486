import { faults, timeOnTheWay } from './faults.ts'
import type { Row } from './row.ts'
import { areOneEachWay, inWords } from './telling.ts'

/** Limits, in ms but for `losses`. The rest of what is promised is zero. */
export interface Bounds {
  readonly p99: number
  readonly worst: number
  readonly recovery: number
  /** How often Redis may be lost by one fault. */
  readonly losses: number
}

/** The operation timeout of 200 ms and 50 ms more is the longest that an answer may take. */
const promised: Bounds = { p99: 10, worst: 250, recovery: 1_000, losses: 1 }
/** On a machine that is busy with other tests milliseconds only tell an answer from a hang. */
export const onBusyMachine: Bounds = { p99: Infinity, worst: 2_000, recovery: 4_000, losses: 3 }

/** Where a row is out of bounds; empty where it keeps them. */
export function violations(row: Row, limits: Bounds = promised): string[] {
  const losesData = faults.find(({ name }) => name === row.fault)?.losesData === true
  const bounds: [isKept: boolean, what: string][] = [
    [row.failed === 0, `${row.failed} requests failed (${row.failures.join('; ')})`],
    [row.hung === 0, `${row.hung} requests hung`],
    [
      row.p99 < limits.p99 + timeOnTheWay(row.fault),
      `p99 ${row.p99.toFixed(1)} ms (${row.before.toFixed(1)} ms before the fault)`,
    ],
    [row.worst <= limits.worst, `worst ${row.worst.toFixed(0)} ms`],
    [
      row.recovery < limits.recovery,
      `recovery ${Number.isNaN(row.recovery) ? 'never seen' : `${row.recovery} ms`}`,
    ],
    [areOneEachWay(row.lines, limits.losses), `log lines ${inWords(row.lines)}`],
    [row.uncaught === 0, `${row.uncaught} uncaught errors`],
    [row.mixedUp === 0, `${row.mixedUp} answers with somebody else's session`],
    [losesData || row.loggedOut === 0, `${row.loggedOut} logged out`],
  ]
  return bounds.filter(([isKept]) => !isKept).map(([, what]) => `${row.fault}, ${row.client}: ${what}`)
}

/** Prints rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const head = [
    'fault',
    'client',
    'requests',
    'failed',
    'hung',
    'p99 before, ms',
    'p99 ms',
    'worst ms',
    'recovery ms',
    'log lines',
    'logged out',
    'mixed up',
    'uncaught',
  ]
  const body = rows.map((row) => [
    row.fault,
    row.client,
    row.requests,
    row.failed,
    row.hung,
    Number.isNaN(row.before) ? '-' : row.before.toFixed(1),
    row.p99.toFixed(1),
    row.worst.toFixed(0),
    Number.isNaN(row.recovery) ? '-' : row.recovery,
    inWords(row.lines),
    row.loggedOut,
    row.mixedUp,
    row.uncaught,
  ])
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
