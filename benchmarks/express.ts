// A whole Express request with a session: ours against express-session with connect-redis, each in a process of its own.
import {
  alternate,
  commandsOf,
  ratioOf,
  startCandidate,
  stopCandidate,
  type Measured,
} from './application.ts'
import { median, printTable } from './rounds.ts'

const rounds = 9
/** Redis commands per 1,000 requests that we promise not to exceed. */
const promised = { 'reads its session': 1_100, 'changes its session': 2_100 }

const candidates = { ours: await startCandidate('holdfast'), theirs: await startCandidate('connect-redis') }
const names = { ours: 'Holdfast', theirs: 'connect-redis' }

const rows: string[][] = []
for (const [what, method, path] of [
  ['reads its session', 'GET', '/me'],
  ['changes its session', 'POST', '/count'],
] as const) {
  const figures = await alternate(candidates, ['ours', 'theirs'], [method, path], rounds)
  for (const who of ['ours', 'theirs'] as const) {
    const of = (figure: keyof Measured): number => median(figures[who].map((one) => one[figure]))
    const beside = (figure: keyof Measured): string =>
      who === 'ours' ? ` (×${ratioOf(figures.ours, figures.theirs, figure).toFixed(2)})` : ''
    const commands = await commandsOf(candidates[who], method, path)
    const isMissed = who === 'ours' && commands > promised[what]
    if (isMissed) process.exitCode = 1
    rows.push([
      what,
      names[who],
      `${Math.round(of('perSecond'))}${beside('perSecond')}`,
      `${Math.round(of('cpu'))}${beside('cpu')}`,
      `${Math.round(of('redisCpu'))}${beside('redisCpu')}`,
      `${of('p99').toFixed(1)}${beside('p99')}`,
      `${commands}${who === 'ours' ? ` (${isMissed ? 'missed: ' : ''}≤ ${promised[what]})` : ''}`,
    ])
  }
}
printTable(
  'A whole Express request, against express-session + connect-redis 10 + node-redis 6',
  [
    'a request that',
    'store',
    'requests/s',
    'CPU, µs/request',
    'Redis CPU, µs/request',
    'p99, ms',
    'Redis commands per 1,000',
  ],
  rows,
)
for (const candidate of Object.values(candidates)) await stopCandidate(candidate)
