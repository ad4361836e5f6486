// Every scenario with every framework, as a Markdown table. `--help` tells the options.
import { parseArgs } from 'node:util'
import { frameworks } from './app.ts'
import { startFleet } from './fleet.ts'
import { runRow, scenarios, tableOf, type Row } from './row.ts'

const { values } = parseArgs({
  options: {
    framework: { type: 'string' },
    scenario: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`node benchmarks/scenarios/run.ts [options]
  --framework=NAME   only ${frameworks.join(' or ')}
  --scenario=TEXT    only scenarios whose name contains it`)
  process.exit()
}

const rows: Row[] = []
for (const framework of frameworks.filter((name) => name === (values.framework ?? name))) {
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.scenario))) {
    process.stderr.write(`${scenario.name}, ${framework} …\n`)
    const fleet = await startFleet(framework, scenario.secrets)
    rows.push(await runRow(scenario, fleet))
    await fleet.close()
  }
}
if (rows.length === 0) {
  // A run that tried nothing must not look as if it had passed.
  console.error('scenarios: no scenario and framework of these names')
  process.exit(2)
}

console.log(tableOf(rows))
const remarks = rows.flatMap((row) =>
  row.remarks.map((remark) => `- ${row.scenario}, ${row.framework}: ${remark}`),
)
if (remarks.length > 0) {
  console.log(`\n${remarks.join('\n')}`)
  process.exitCode = 1
}
