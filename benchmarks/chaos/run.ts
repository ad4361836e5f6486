// The fault table: applications under load while Redis goes wrong. `--help` tells the options.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { applications } from './caches/process.ts'
import { runCacheRow, type CacheRow } from './caches/row.ts'
import { cacheTableOf, cacheViolations } from './caches/table.ts'
import { faults, type Fault } from './faults.ts'
import { resultsFile, resultsPage, type Part, type Results } from './results.ts'
import { runRow, type Row } from './row.ts'
import { tableOf, violations } from './table.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
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
  --only=PART      only sessions or caches
  --fault=TEXT     only faults whose name contains it
  --client=NAME    only ioredis or node-redis
  --seconds=N      how long a fault lasts (7)
  --rate=N         requests or calls per second (200)
  --peer           connect-redis and cacheable instead; reported, not judged
  --write          puts what ran into docs/chaos-results.md too (with --peer: docs/chaos-results-peers.md)`)
  process.exit()
}

const { peer: isPeer } = values
const rate = positive('rate')
const seconds = positive('seconds')
const clients = isPeer ? (['node-redis'] as const) : (['ioredis', 'node-redis'] as const)
const runs: Readonly<Record<Part, () => Promise<Results | undefined>>> = {
  sessions: runSessions,
  caches: runCaches,
}

const results: Results[] = []
for (const [part, run] of Object.entries(runs)) {
  if (values.only && values.only !== part) continue
  const found = await run()
  if (!found) continue
  results.push(found)
  console.log(`\n${found.subject}\n\n${found.table}`)
}
if (results.length === 0) fail('no part, fault and client of these names')
if (values.write) {
  const file = resultsFile(isPeer)
  writeFileSync(file, resultsPage(results, existsSync(file) ? readFileSync(file, 'utf8') : '', new Date()))
}
const broken = results.flatMap(({ outOfBounds = [] }) => outOfBounds)
if (broken.length > 0) {
  console.log(`\nOut of bounds:\n${broken.map((line) => `- ${line}`).join('\n')}`)
  process.exitCode = 1
} else if (!isPeer) {
  console.log('\nEvery row is within bounds.')
}

async function runSessions(): Promise<Results | undefined> {
  const store = isPeer ? 'connect-redis' : 'holdfast'
  const rows = await eachRow((fault, client): Promise<Row> => runRow(fault, { store, rate, seconds, client }))
  return (
    rows && {
      part: 'sessions',
      subject: isPeer ? 'express-session with connect-redis' : '@holdfast/session-express',
      load: `An Express application under ${rate} requests a second, each fault for ${seconds} s.`,
      table: tableOf(rows),
      ...(!isPeer && { outOfBounds: rows.flatMap((row) => violations(row)) }),
    }
  )
}

async function runCaches(): Promise<Results | undefined> {
  const rows: CacheRow[] = []
  for (const application of isPeer ? (['cacheable'] as const) : applications) {
    const neighbour = isPeer ? 'cacheable' : 'loop'
    const found = await eachRow((fault, client): Promise<CacheRow> =>
      runCacheRow(fault, { application, neighbour, client, rate, seconds }),
    )
    rows.push(...(found ?? []))
  }
  if (rows.length === 0) return undefined
  return {
    part: 'caches',
    subject: isPeer ? 'cacheable with @keyv/redis' : 'the cache of @holdfast/core',
    load: `${rate} calls a second and a neighbour that shares the cache, each fault for ${seconds} s.`,
    table: cacheTableOf(rows),
    ...(!isPeer && { outOfBounds: rows.flatMap((row) => cacheViolations(row)) }),
  }
}

async function eachRow<R>(
  run: (fault: Fault, client: 'ioredis' | 'node-redis') => Promise<R>,
): Promise<R[] | undefined> {
  const rows: R[] = []
  for (const client of clients.filter((name) => !values.client || name === values.client)) {
    for (const fault of faults.filter(({ name }) => !values.fault || name.includes(values.fault))) {
      process.stderr.write(`${fault.name}, ${client} …\n`)
      rows.push(await run(fault, client))
    }
  }
  return rows.length > 0 ? rows : undefined
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
