// The fault table: an Express application under load while Redis goes wrong. `--help` tells the options.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { faults } from './faults.ts'
import { resultsFile, resultsPage } from './results.ts'
import { runRow, type Row } from './row.ts'
import { tableOf, violations } from './table.ts'

const { values } = parseArgs({
  options: {
    fault: { type: 'string' },
    client: { type: 'string' },
    seconds: { type: 'string', default: '7' },
    rate: { type: 'string', default: '200' },
    peer: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`npm run chaos -- [options]
  --fault=TEXT     only faults whose name contains it
  --client=NAME    only ioredis or node-redis
  --seconds=N      how long a fault lasts (7)
  --rate=N         requests per second (200)
  --peer           express-session with connect-redis instead; reported, not judged
  --write          writes docs/chaos-results.md too (with --peer: docs/chaos-results-connect-redis.md)`)
  process.exit()
}

const store = values.peer ? 'connect-redis' : 'holdfast'
const clients = values.peer ? (['node-redis'] as const) : (['ioredis', 'node-redis'] as const)
const options = { store, rate: positive('rate'), seconds: positive('seconds') } as const
const rows: Row[] = []
for (const client of clients.filter((name) => !values.client || name === values.client)) {
  for (const fault of faults.filter(({ name }) => !values.fault || name.includes(values.fault))) {
    process.stderr.write(`${fault.name}, ${client} …\n`)
    rows.push(await runRow(fault, { ...options, client }))
  }
}
if (rows.length === 0) fail('no fault and client of these names')

console.log(tableOf(rows))
if (values.write) writeFileSync(resultsFile(store), resultsPage(rows, options, new Date()))
const broken = values.peer ? [] : rows.flatMap((row) => violations(row))
if (broken.length > 0) {
  console.log(`\nOut of bounds:\n${broken.map((line) => `- ${line}`).join('\n')}`)
  process.exitCode = 1
} else if (!values.peer) {
  console.log('\nEvery row is within bounds.')
}

function positive(name: 'rate' | 'seconds'): number {
  const value = Number(values[name])
  return value > 0 && value < Infinity
    ? value
    : fail(`--${name} must be a number above 0, got ${JSON.stringify(values[name])}`)
}

/** A run that measured nothing must not look as if it had passed. */
function fail(why: string): never {
  console.error(`chaos: ${why}`)
  process.exit(2)
}
