import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { measureAll, standingsOf, type Standing } from '../rounds.ts'
import type { Load } from './loads.ts'

/** A candidate that competes in a process of its own, as it is in an application: not in a memory full of what the others keep. */
export interface Competitor {
  /** What it is called in `candidates.ts`. */
  readonly name: string
  /** Of its layer in memory; left out: it has none. */
  readonly maxEntries?: number
}

/** Who is the fastest at this, so many callers at once. */
export interface Contest {
  readonly load: Load
  readonly callers: number
  /** How long a round takes. */
  readonly ms: number
  readonly competitors: readonly Competitor[]
}

/** What a competitor's process is asked to measure, in operations per second. */
export type Round = Pick<Contest, 'load' | 'callers' | 'ms'>

/** Some of how fast a process is, is luck, and stays with it: so each competitor has several, one after the other. */
const generations = 3

/** Gives the standings of each contest, by its competitors, of so many rounds in each generation of processes. */
export async function compete<C extends Contest>(
  contests: readonly C[],
  rounds: number,
  url: string,
): Promise<(readonly [C, readonly Standing[]])[]> {
  const all = new Set(contests.flatMap(({ competitors }) => competitors))
  const figures = contests.map(({ competitors }) => competitors.map((): number[] => []))
  for (let generation = 0; generation < generations; generation++) {
    const processes = new Map<Competitor, ChildProcess>()
    for (const one of all) processes.set(one, await start(one, url))
    for (const [i, { competitors, load, callers, ms }] of contests.entries()) {
      const round: Round = { load, callers, ms }
      const measured = await measureAll(competitors, (one) => measure(processes.get(one)!, round), rounds)
      measured.forEach((own, which) => figures[i]![which]!.push(...own))
    }
    for (const child of processes.values()) child.disconnect()
  }
  return contests.map((contest, i) => [contest, standingsOf(figures[i]!)])
}

async function start(competitor: Competitor, url: string): Promise<ChildProcess> {
  const file = new URL('competitor.ts', import.meta.url)
  const execArgv = ['--conditions=@holdfast/source']
  const child = fork(file, [JSON.stringify(competitor), url], { execArgv })
  child.on('exit', (code) => {
    if (code) throw new Error(`${competitor.name} ended with ${code}`)
  })
  await once(child, 'message')
  return child
}

async function measure(child: ChildProcess, round: Round): Promise<number> {
  child.send(round)
  const [figure] = (await once(child, 'message')) as [number]
  return figure
}
