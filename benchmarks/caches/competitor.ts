// One candidate in a process of its own: measures what it is asked to, and is quiet otherwise.
import { setTimeout as pause } from 'node:timers/promises'
import { throughput } from '../rounds.ts'
import { overRedis, uncompressed, withNear } from './candidates.ts'
import type { Competitor, Round } from './competition.ts'
import { loadsOf } from './loads.ts'

const [competitor, url] = process.argv.slice(2)
const { name, maxEntries } = JSON.parse(competitor!) as Competitor
const opening = maxEntries === undefined ? { ...overRedis, ...uncompressed } : withNear(maxEntries)
const operationFor = loadsOf(await opening[name]!(url!))

process.on('message', (round: Round) => void measure(round).then((figure) => process.send!(figure)))
process.on('disconnect', () => process.exit())
process.send!('ready')

/** A round in which anything failed (the machine stood still for so long that Redis was given up) is measured again. */
async function measure({ load, callers, ms }: Round): Promise<number> {
  const operation = await operationFor(load)
  for (let failed = 0; ; failed++) {
    try {
      return await throughput(operation, callers, ms)
    } catch (error) {
      if (failed === 5) throw error
      console.error(`${name}: ${callers} at once, ${load.do}: once more, as ${String(error)}`)
      await pause(2_000)
    }
  }
}
