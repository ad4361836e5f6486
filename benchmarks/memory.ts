// What 100,000 requests during an outage leave in memory, against the bounds that were configured.
import { createHoldfast } from '@holdfast/core'
import { startProxy, startRedis } from '@holdfast-internal/test-fixtures'
import { printTable } from './rounds.ts'

const megabyte = 1024 ** 2
const requests = 100_000
const bounds = { maxEntries: 20_000, maxBytes: 16 * megabyte }

const redis = await startRedis()
const proxy = await startProxy({ port: redis.port })
const holdfast = createHoldfast({ redis: proxy.url, logger: false, fallback: bounds, journal: bounds })
await holdfast.ready()
const sessions = holdfast.sessions()
const text = 'x'.repeat(400)

await visit(5_000, 'warm-up')
await proxy.refuse()
while (holdfast.state === 'healthy') await new Promise((resolve) => setTimeout(resolve, 1))
await visit(5_000, 'warm-up')
const before = used()
const samples: string[][] = []
for (let i = 1; i <= 5; i++) {
  await visit(requests / 5, `visitor ${i}`)
  const { memory } = holdfast.health()
  const grown = (used() - before) / megabyte
  samples.push([
    String((i * requests) / 5),
    grown.toFixed(1),
    String(memory.entries),
    (memory.bytes / megabyte).toFixed(1),
    String(memory.journal),
  ])
}
printTable(
  'Memory during an outage: every request a new session of 0.5 kB, bounds 20,000 entries and 16 MB for copies and journal each',
  ['requests', 'grown by, MB', 'copies', 'copies, MB', 'journal'],
  samples,
)
const grown = (used() - before) / megabyte
const allowed = (2 * bounds.maxBytes * 1.5) / megabyte
console.log(`\nGrown by ${grown.toFixed(1)} MB; bounds and their overhead allow ${allowed} MB.`)
if (grown > allowed) process.exitCode = 1
await holdfast.close()
await proxy.close()
await redis.stop()

async function visit(count: number, name: string): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = `${name} ${i}`
    await sessions.load(id)
    await sessions.save(id, { text, cookie: { originalMaxAge: 600_000 } })
  }
}

function used(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
