// Hits in Redis, writes and reads of many: against the bare client and the caches that people pick.
import { startRedis } from '@holdfast-internal/test-fixtures'
import { printTable } from '../rounds.ts'
import { overRedis, uncompressed } from './candidates.ts'
import { compete, type Competitor, type Contest } from './competition.ts'
import { batch, type Load } from './loads.ts'
import { sizes, type Size } from './values.ts'

interface Row extends Contest {
  readonly load: Extract<Load, { size: Size }>
}

const rounds = 11
const ms = 60
/** What is promised for hits, as ratios to the bare client. */
const targets: Readonly<Record<number, number>> = { 1: 0.95, 32: 1.3 }

const competitors = Object.keys({ ...overRedis, ...uncompressed }).map((name): Competitor => ({ name }))
const [, ours] = competitors
const rows = (Object.keys(sizes) as Size[]).flatMap((size): Row[] => {
  const reads = [1, 32, 256].flatMap((callers) => [
    row({ do: 'get', size }, callers),
    row({ do: 'getOrSet', size }, callers),
  ])
  const writes = [1, 32].map((callers) => row({ do: 'set', size }, callers))
  return [...reads, ...writes, ...(size === '100 kB' ? [] : [row({ do: 'getMany', size }, 1)])]
})
const redis = await startRedis()
printTable(
  'Through Redis, as ratios to bare ioredis 6 (GET + JSON.parse, SET of JSON.stringify, MGET)',
  [
    ...['operation', 'size', 'callers', 'ioredis/s', ...competitors.slice(1).map(({ name }) => name)],
    ...['ahead of the best peer', 'target'],
  ],
  (await compete(rows, rounds, redis.url)).map(([{ load, callers, competitors: those }, standings]) => {
    const ratioOf = (one: Competitor): number => standings[those.indexOf(one)]?.ratio ?? Number.NaN
    const peers = those.slice(2).filter(({ name }) => !(name in uncompressed))
    const isPromised = (load.do === 'get' || load.do === 'getOrSet') && load.size !== '100 kB'
    const target = isPromised ? targets[callers] : undefined
    return [
      ...[load.do === 'getMany' ? `getMany of ${batch}` : load.do, load.size, callers],
      Math.round(standings[0]!.figure).toLocaleString('en'),
      ...competitors.slice(1).map((one) => (those.includes(one) ? ratioOf(one).toFixed(2) : '')),
      `× ${(ratioOf(ours!) / Math.max(...peers.map(ratioOf))).toFixed(2)}`,
      target ? `≥ ${target}` : '',
    ]
  }),
)
await redis.stop()

function row(load: Row['load'], callers: number): Row {
  // What is not compressed anyway needs no second column; and keyv has no word for "get or set".
  const enters = ({ name }: Competitor): boolean =>
    name in uncompressed ? load.size === '100 kB' : load.do !== 'getOrSet' || name !== 'keyv'
  return { load, callers, ms, competitors: competitors.filter(enters) }
}
