// What the continuity token costs a healthy request, what "token first" saves, and how long a logout takes to reach others.
import {
  alternate,
  commandsOf,
  ratioOf,
  startCandidate,
  stopCandidate,
  type Candidate,
  type Store,
} from './application.ts'
import { createLoad } from './chaos/load.ts'
import { openCaller, requestOf } from './http.ts'
import { median, printTable } from './rounds.ts'

/** Processes of the same code differ by some percent, for as long as they live: so there are several of each. */
const pairs = 7
const rounds = 4
const logouts = 200
const names: Record<Store, string> = {
  holdfast: 'Holdfast',
  'holdfast-without-token': 'Holdfast without the token',
  'token-first': 'Holdfast, token first',
  'connect-redis': 'connect-redis',
}

const rows: string[][] = []
for (const pair of [
  ['holdfast', 'holdfast-without-token'],
  ['token-first', 'connect-redis'],
] as const) {
  const figures = { perSecond: [] as number[], cpu: [] as number[] }
  const ratios = { perSecond: [] as number[], cpu: [] as number[] }
  let commands = ''
  for (let started = 0; started < pairs; started++) {
    const candidates = {
      [pair[0]]: await startCandidate(pair[0]),
      [pair[1]]: await startCandidate(pair[1]),
    } as Record<Store, Candidate>
    const measured = await alternate<Store>(candidates, pair, ['GET', '/me'], rounds)
    for (const figure of ['perSecond', 'cpu'] as const) {
      figures[figure].push(median(measured[pair[0]].map((one) => one[figure])))
      ratios[figure].push(ratioOf(measured[pair[0]], measured[pair[1]], figure))
    }
    commands = `${await commandsOf(candidates[pair[0]], 'GET', '/me')} and ${await commandsOf(candidates[pair[1]], 'GET', '/me')}`
    for (const candidate of Object.values(candidates)) await stopCandidate(candidate)
  }
  const shown = (figure: 'perSecond' | 'cpu'): string => {
    const sorted = [...ratios[figure]].sort((a, b) => a - b)
    const spread = `${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)}`
    return `${Math.round(median(figures[figure]))} (×${median(sorted).toFixed(3)}; ${spread})`
  }
  rows.push([names[pair[0]], names[pair[1]], shown('perSecond'), shown('cpu'), commands])
}
printTable(
  'A request that reads its session and does not change it',
  ['store', 'against', 'requests/s', 'CPU, µs/request', 'Redis commands per 1,000'],
  rows,
)

const here = await startCandidate('token-first')
const there = await startCandidate('token-first', here.redis)
const times = await propagation(here, there)
printTable(
  'From a logout in one process to its refusal in another, token first',
  ['logouts', 'p50, ms', 'p99, ms'],
  [[times.length, quantile(times, 0.5).toFixed(1), quantile(times, 0.99).toFixed(1)]],
)
there.app.kill()
for (const caller of there.callers) caller.close()
await stopCandidate(here)

/** How long the old cookies of a visitor are still served elsewhere, counted from when the logout was sent. */
async function propagation(one: Candidate, other: Candidate): Promise<number[]> {
  const load = createLoad(one.port)
  const elsewhere = await openCaller(other.port)
  const taken: number[] = []
  for (let i = 0; i < logouts; i++) {
    const visitor = { name: `leaving ${i}`, cookie: undefined as string | undefined }
    await load.visit(visitor, 'POST', `/login/${encodeURIComponent(visitor.name)}`)
    const old = requestOf('GET', '/me', visitor.cookie!)
    if (!(await elsewhere.ask(old)).body.includes(visitor.name))
      throw new Error('was not logged in elsewhere')
    const began = performance.now()
    const leaving = load.visit(visitor, 'POST', '/logout')
    while ((await elsewhere.ask(old)).body.includes(visitor.name)) continue
    taken.push(performance.now() - began)
    await leaving
  }
  elsewhere.close()
  load.close()
  return taken
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
