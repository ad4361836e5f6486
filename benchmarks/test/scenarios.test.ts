import { afterAll, describe, expect, it } from 'vitest'
import { frameworks, type Framework } from '../scenarios/app.ts'
import { startFleet, type Fleet } from '../scenarios/fleet.ts'
import { runRow, scenarios, tableOf } from '../scenarios/row.ts'

/**
 * The same as `node benchmarks/scenarios/run.ts`, but that a fleet which came through one scenario goes on with the next,
 * as starting a process takes longer than what is done to it.
 */
describe.concurrent('two processes behind one Redis', () => {
  const idle: Fleet[] = []
  afterAll(async () => void (await Promise.all(idle.map((fleet) => fleet.close()))))

  async function take(framework: Framework): Promise<Fleet> {
    const index = idle.findIndex((fleet) => fleet.framework === framework)
    return idle.splice(index, index < 0 ? 0 : 1)[0] ?? startFleet(framework)
  }

  const rows = frameworks.flatMap((framework) =>
    scenarios.map((scenario) => [scenario.name, framework, scenario] as const),
  )
  it.for(rows)(
    'fail nobody, log nobody out and let nothing come back: %s, %s',
    { timeout: 60_000 },
    async ([, framework, scenario]) => {
      const { secrets } = scenario
      const fleet = secrets ? await startFleet(framework, secrets) : await take(framework)
      const row = await runRow(scenario, fleet)
      if (secrets || row.remarks.length > 0) await fleet.close()
      else idle.push(fleet)

      expect(row.remarks, tableOf([row])).toEqual([])
      expect(row).toMatchObject({ failed: 0, loggedOut: 0, cameBack: 0, lostWrites: 0 })
      expect(row.requests).toBeGreaterThan(50)
    },
  )
})
