import { faults } from './faults.ts'
import type { Row } from './row.ts'

/** Where a row is out of the bounds that Holdfast promises; empty where it keeps them. */
export function violations(row: Row): string[] {
  const losesData = faults.find(({ name }) => name === row.fault)?.losesData === true
  const bounds: [isKept: boolean, what: string][] = [
    [row.failed === 0, `${row.failed} requests failed`],
    [row.hung === 0, `${row.hung} requests hung`],
    [row.p99 < 10, `p99 ${row.p99.toFixed(1)} ms`],
    [row.worst <= 250, `worst ${row.worst.toFixed(0)} ms`],
    [row.recovery < 1_000, `recovery ${row.recovery} ms`],
    [row.lines.degraded === 1 && row.lines.healthy === 1 && row.lines.other === 0, `log lines ${inLines(row)}`],
    [row.uncaught === 0, `${row.uncaught} uncaught errors`],
    [row.mixedUp === 0, `${row.mixedUp} answers with somebody else's session`],
    [losesData || row.loggedOut === 0, `${row.loggedOut} logged out`],
  ]
  return bounds.filter(([isKept]) => !isKept).map(([, what]) => `${row.fault}, ${row.client}: ${what}`)
}

/** Prints rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['fault', 'client', 'requests', 'failed', 'hung', 'p99 ms', 'worst ms', 'recovery ms', 'log lines', 'logged out']
  const body = rows.map((row) => [
    row.fault,
    row.client,
    row.requests,
    row.failed,
    row.hung,
    row.p99.toFixed(1),
    row.worst.toFixed(0),
    Number.isNaN(row.recovery) ? '-' : row.recovery,
    inLines(row),
    row.loggedOut,
  ])
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Lines at the loss, at the return, and any others. */
function inLines({ lines }: Row): string {
  return `${lines.degraded} + ${lines.healthy}${lines.other ? ` + ${lines.other}` : ''}`
}
