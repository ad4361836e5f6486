import { ask } from './requests.ts'
import { Violation } from './session.ts'
import type { World } from './world.ts'

const names = {
  session: 'holdfast:session:',
  endings: 'holdfast:ended:holdfast:session:',
  epoch: 'holdfast:epoch',
}
/** How long until processes that nothing hints at a gap have compared what they know. */
const comparison = 301_000
const recovery = 10_000

/** The primary loses a session's record, or what Holdfast keeps beside the sessions. */
export function evict({ primary, reference, browsers }: World, what: 'endings' | 'epoch' | number): void {
  if (what === 'epoch') return primary.evict(names.epoch)
  if (what === 'endings') {
    primary.evict(names.endings)
    reference.endings.lost()
    return reference.since.lost()
  }
  const { id } = browsers[what]!.jar
  if (id === undefined) return
  primary.evict(names.session + id)
  reference.lostRecords(id)
}

/** The primary goes back to what it was some steps ago, and all connections to it are made anew. */
export function failover({ primary, reference, past, processes }: World, back: number): void {
  const then = past[Math.min(back, past.length) - 1]!
  const connected = processes.filter(({ link }) => link.isAnswering)
  const modes = connected.map(({ link }) => link.mode)
  for (const { link } of connected) link.become('cut')
  primary.restore(then.primary)
  reference.restore(then.known)
  for (const [i, { link }] of connected.entries()) link.become(modes[i]!)
}

/** A process loses its memory. */
export function restart({ processes, reference }: World, index: number): void {
  reference.endings.restarted(index)
  reference.writes.restarted(index)
  reference.since.restarted(index)
  processes[index]!.restart()
}

/** Everything ends well; then everybody has to know everything. */
export async function calm(world: World): Promise<void> {
  const { processes, primary, clock, reference, browsers } = world
  for (const { link } of processes) link.become('well')
  const isCalm = await clock.until(() => processes.every(({ isInTouch }) => isInTouch), recovery)
  if (!isCalm) throw new Violation(`S5: a process does not recover within ${recovery} ms`)
  primary.deliverStrays()
  // Who started after a loss learns in the second round what the first one brought back.
  for (let round = 0; round < 2; round++) {
    noteSettled(world)
    await clock.advance(comparison)
    for (let each = 0; each < 2; each++) {
      for (const { index } of processes) {
        reference.endings.met(index, world.hearing())
        reference.since.met(index, clock.now())
      }
    }
  }
  for (const process of processes)
    for (const browser of browsers)
      if (browser.jar.id !== undefined) await ask(world, process, browser.jar, browser)
  await replayAll(world)
  reference.converged(world.lastValue())
}

/** Who is in touch with the primary has brought it what was kept for it. */
export function noteSettled({ processes, reference }: World): void {
  for (const { index, isInTouch } of processes) if (isInTouch) reference.writes.settled(index)
}

/** Whoever has copied cookies tries them everywhere. */
export async function replayAll(world: World): Promise<void> {
  for (const process of world.processes)
    for (const cookies of world.stolen) await ask(world, process, cookies)
}
