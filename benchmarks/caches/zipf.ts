// Reads of 100,000 keys of which few are asked for often (Zipf, exponent 0.99), with and without a layer in memory.
import { startRedis } from '@holdfast-internal/test-fixtures'
import { printTable } from '../rounds.ts'
import { overRedis, withNear } from './candidates.ts'
import { compete, type Competitor } from './competition.ts'
import { zipf } from './loads.ts'

const maxEntries = 10_000
const callers = 32
const rounds = 7
const target = 4

const [bare, ...far] = Object.keys(overRedis).map((name): Competitor => ({ name }))
const [ours, ...near] = Object.keys(withNear(maxEntries)).map((name): Competitor => ({ name, maxEntries }))
const competitors = [bare!, ours!, ...far, ...near]
const redis = await startRedis()
const [contest] = await compete([{ load: { do: 'zipf' }, callers, ms: 250, competitors }], rounds, redis.url)
const [, standings] = contest!
printTable(
  `Zipf ${zipf.exponent} over ${zipf.entries.toLocaleString('en')} keys of 100 B, ${callers} callers`,
  ['cache', `in memory, of ${maxEntries.toLocaleString('en')}`, 'reads/s', 'against ioredis', 'target'],
  competitors.map((one, i) => [
    one.name,
    one.maxEntries ? 'yes' : 'no',
    Math.round(standings[i]!.figure).toLocaleString('en'),
    standings[i]!.ratio.toFixed(2),
    one === ours ? `≥ ${target}` : '',
  ]),
)
await redis.stop()
