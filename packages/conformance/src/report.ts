import { isByFault, type State } from './case.ts'
import { promises } from './promises.ts'
import type { Report } from './run.ts'
import type { Check } from './voyage.ts'

/** A promise over all states and faults in which it was tried. */
export interface Verdict {
  readonly theme: string
  readonly name: string
  readonly status: Check['status']
  readonly checks: readonly Check[]
}

/**
 * Sums the checks up by promise: failed if any check failed, passed if none did and one passed in a state that the
 * promise is about, not claimed if the subject says that it cannot.
 */
export function verdicts({ checks, kind }: Pick<Report, 'checks' | 'kind'>): Verdict[] {
  const byName = Map.groupBy(checks, ({ name }) => name)
  return promises(kind).flatMap(({ theme, name, states }) => {
    const own = byName.get(name)
    if (!own) return []
    const statuses = new Set(own.filter(({ state }) => isAbout(state, states)).map(({ status }) => status))
    const failed = own.some(({ status }) => status === 'failed')
    const status = failed ? 'failed' : statuses.has('passed') ? 'passed' : 'not claimed'
    return { theme, name, status, checks: own }
  })
}

/** A promise about outages is not kept by what is arranged before one. */
function isAbout(state: State, states: readonly State[]): boolean {
  return state !== 'healthy' || !states.includes('degraded')
}

/** Whether no promise was broken. */
export function isConformant({ checks }: Pick<Report, 'checks'>): boolean {
  return checks.length > 0 && checks.every(({ status }) => status !== 'failed')
}

/** Gives the report as text: each promise, passed, failed or not claimed, and why. */
export function formatReport(report: Report): string {
  const all = verdicts(report)
  const lines = [`Holdfast conformance of the ${report.kind} "${report.subject}"`]
  lines.push(`claims: ${report.claims.join(', ') || 'nothing beyond the contract'}`)
  for (const [theme, own] of Map.groupBy(all, (verdict) => verdict.theme)) {
    lines.push('', theme, ...own.flatMap(linesOf))
  }
  const count = (status: Check['status']): number => all.filter((verdict) => verdict.status === status).length
  lines.push(
    '',
    `${all.length} promises: ${count('passed')} passed, ${count('failed')} failed, ${count('not claimed')} not claimed`,
    `${report.checks.length} checks in ${(report.ms / 1000).toFixed(1)} s`,
  )
  return lines.join('\n')
}

function linesOf({ name, status, checks }: Verdict): string[] {
  const label = { passed: 'passed     ', failed: 'FAILED     ', 'not claimed': 'not claimed' }[status]
  const tried = checks.filter((check) => check.status === 'passed').map(stateOf)
  const lines = [`  ${label}  ${name}${tried.length > 0 ? `  (${[...new Set(tried)].join(', ')})` : ''}`]
  for (const check of checks) {
    if (check.status === 'failed') lines.push(`               ${stateOf(check)}: ${messageOf(check.error)}`)
  }
  const unclaimed = Map.groupBy(
    checks.filter((check) => check.status === 'not claimed'),
    ({ reason }) => reason,
  )
  for (const [reason, own] of unclaimed) {
    lines.push(`               not claimed ${[...new Set(own.map(stateOf))].join(', ')}: ${reason}`)
  }
  return lines
}

function stateOf({ state, fault }: Check): string {
  return isByFault(state) ? `${state} by ${fault}` : state
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.replaceAll('\n', '\n                 ')
}
