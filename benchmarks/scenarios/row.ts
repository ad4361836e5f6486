import type { Framework } from './app.ts'
import { createBrowsers } from './browser.ts'
import { createCrowd, type Counts } from './crowd.ts'
import { dataLosses } from './data-losses.ts'
import { everyday } from './everyday.ts'
import type { Fleet } from './fleet.ts'
import { outages } from './outages.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: readonly Scenario[] = [...outages, ...dataLosses, ...everyday]

/** What a scenario came to. */
export interface Row extends Counts {
  readonly scenario: string
  readonly framework: Framework
}

/** Plays one scenario; `remarks` is empty where all went well. */
export async function runRow({ name, play }: Scenario, fleet: Fleet): Promise<Row> {
  const browsers = createBrowsers()
  const crowd = createCrowd(fleet, browsers)
  const broken = await play({ fleet, crowd }).then(
    () => [],
    (error: unknown) => [String(error)],
  )
  browsers.close()
  const counts = crowd.counts()
  return { scenario: name, framework: fleet.framework, ...counts, remarks: [...counts.remarks, ...broken] }
}

/** Prints rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['scenario', 'framework', 'requests', 'failed', 'logged out', 'came back', 'writes lost']
  const body = rows.map((row) => [
    row.scenario,
    row.framework,
    row.requests,
    row.failed,
    row.loggedOut,
    row.cameBack,
    row.lostWrites,
  ])
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
