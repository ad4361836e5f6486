// The fault table: an Express application under load while Redis goes wrong. `--help` tells the options.
import { parseArgs } from 'node:util'
import { faults } from './faults.ts'
import { runRow, type Row } from './row.ts'
import { tableOf, violations } from './table.ts'

const { values } = parseArgs({
  options: {
    fault: { type: 'string' },
    client: { type: 'string' },
    seconds: { type: 'string', default: '7' },
    rate: { type: 'string', default: '200' },
    peer: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`npm run chaos -- [options]
  --fault=TEXT     only faults whose name contains it
  --client=NAME    only ioredis or node-redis
  --seconds=N      how long a fault lasts (7)
  --rate=N         requests per second (200)
  --peer           express-session with connect-redis instead; reported, not judged`)
  process.exit()
}

const store = values.peer ? 'connect-redis' : 'holdfast'
const clients = values.peer ? (['node-redis'] as const) : (['ioredis', 'node-redis'] as const)
const rows: Row[] = []
for (const client of clients.filter((name) => !values.client || name === values.client)) {
  for (const fault of faults.filter(({ name }) => !values.fault || name.includes(values.fault))) {
    process.stderr.write(`${fault.name}, ${client} …\n`)
    rows.push(await runRow(fault, { store, client, rate: Number(values.rate), seconds: Number(values.seconds) }))
  }
}

console.log(tableOf(rows))
const broken = values.peer ? [] : rows.flatMap(violations)
if (broken.length > 0) {
  console.log(`\nOut of bounds:\n${broken.map((line) => `- ${line}`).join('\n')}`)
  process.exitCode = 1
} else if (!values.peer) {
  console.log('\nEvery row is within bounds.')
}
