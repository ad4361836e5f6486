import type { Backend } from '../../src/backend/backend.ts'
import { forged } from './forged.ts'
import { createRandom } from './random.ts'
import { Violation } from './reference.ts'
import { ask, begin, finish, request, type Pending } from './requests.ts'
import { keys, type Schedule, type Step } from './schedule.ts'
import { createWorld, type World } from './world.ts'

const names = {
  session: 'holdfast:session:',
  endings: 'holdfast:ended:holdfast:session:',
  epoch: 'holdfast:epoch',
}
const stepTime = 2
const remembered = 6
/** How long until processes that nothing hints at a gap have compared what they know. */
const comparison = 301_000
const recovery = 10_000

/** Lets a schedule happen; throws a {@link Violation}, with the trace of what happened, where an invariant does not hold. */
export async function run(
  { seed, steps }: Schedule,
  mutate: (backend: Backend) => Backend = same,
): Promise<void> {
  const { random } = Math
  const { stackTraceLimit } = Error
  // Most errors here are lost connections, whose stacks nobody reads.
  Error.stackTraceLimit = 0
  // Pauses between probes are random; they have to be the same for the same schedule.
  Math.random = createRandom(seed)
  const world = createWorld(seed, mutate)
  const slow: Pending[] = []
  try {
    await world.clock.advance(stepTime)
    for (const browser of world.browsers)
      await request(world, browser, world.processes[0]!, { to: 'login', user: 'ann' })
    for (const step of [...steps, ...end]) {
      await world.clock.advance(stepTime)
      for (const process of world.processes)
        if (process.isInTouch) world.reference.writes.settled(process.index)
      remember(world)
      world.note(() => told(step))
      await happen(world, slow, step)
    }
  } catch (error) {
    if (error instanceof Violation) error.message = `${error.message}\n${world.trace().join('\n')}`
    throw error
  } finally {
    Math.random = random
    Error.stackTraceLimit = stackTraceLimit
    world.stop()
  }
}

const end: readonly Step[] = [{ do: 'calm' }]

function same(backend: Backend): Backend {
  return backend
}

function remember({ past, primary, reference }: World): void {
  past.unshift({ primary: primary.copy(), known: reference.copy() })
  past.length = Math.min(past.length, remembered)
}

async function happen(world: World, slow: Pending[], step: Step): Promise<void> {
  const { primary, reference, processes, browsers, clock } = world
  switch (step.do) {
    case 'request':
      return request(world, browsers[step.browser]!, processes[step.process]!, step.action)
    case 'pair': {
      const pending: Pending[] = []
      for (const process of step.processes)
        pending.push(await begin(world, browsers[step.browser]!, processes[process]!))
      await Promise.all(pending.map((each, i) => finish(world, each, { to: 'set', key: keys[i]! })))
      return
    }
    case 'begin slow':
      slow.push(await begin(world, browsers[step.browser]!, processes[step.process]!))
      return
    case 'finish slow': {
      const pending = slow.shift()
      if (pending) await finish(world, pending, { to: 'set', key: 'c' })
      return
    }
    case 'steal':
      if (browsers[step.browser]!.jar.id !== undefined) world.stolen.push(browsers[step.browser]!.jar)
      return
    case 'replay': {
      const cookies = world.stolen.at(-1 - step.copy)
      if (cookies) await ask(world, processes[step.process]!, cookies, false)
      return
    }
    case 'forge': {
      const cookies = forged(
        step.how,
        browsers[step.browser]!.jar,
        browsers.find(({ index }) => index !== step.browser)!.jar,
      )
      if (cookies) await ask(world, processes[step.process]!, cookies, false)
      return
    }
    case 'drop token':
      return browsers[step.browser]!.dropToken()
    case 'line':
      for (const { link, index } of processes)
        if (step.process === 'all' || step.process === index) link.become(step.is)
      return
    case 'deliver strays':
      return primary.deliverStrays()
    case 'flush':
      primary.flush()
      reference.endings.lost()
      reference.lostRecords()
      return reference.since.lost()
    case 'evict':
      return evict(world, step.what)
    case 'failover':
      return failover(world, step.back)
    case 'restart':
      return restart(world, step.process)
    case 'wait':
      return clock.advance(step.ms)
    case 'calm':
      return calm(world)
  }
}

function evict({ primary, reference, browsers }: World, what: 'endings' | 'epoch' | number): void {
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

function failover({ primary, reference, past, processes }: World, back: number): void {
  const then = past[Math.min(back, past.length) - 1]!
  const connected = processes.filter(({ link }) => link.mode === 'well')
  for (const { link } of connected) link.become('cut')
  primary.restore(then.primary)
  reference.restore(then.known)
  for (const { link } of connected) link.become('well')
}

function restart({ processes, reference }: World, index: number): void {
  reference.endings.restarted(index)
  reference.writes.restarted(index)
  reference.since.restarted(index)
  processes[index]!.restart()
}

/** Everything ends well; then everybody has to know everything. */
async function calm(world: World): Promise<void> {
  const { processes, primary, clock, reference, browsers } = world
  for (const { link } of processes) link.become('well')
  const isCalm = await clock.until(() => processes.every(({ isInTouch }) => isInTouch), recovery)
  if (!isCalm) throw new Violation(`S5: a process does not recover within ${recovery} ms`)
  primary.deliverStrays()
  // Who started after a loss learns in the second round what the first one brought back.
  for (let round = 0; round < 2; round++) {
    for (const { index } of processes) reference.writes.settled(index)
    await clock.advance(comparison)
    for (let each = 0; each < 2; each++) {
      for (const { index } of processes) {
        reference.endings.met(index, world.hearing())
        reference.since.met(index, clock.now())
      }
    }
  }
  for (const process of processes) {
    for (const { jar } of browsers) if (jar.id !== undefined) await ask(world, process, jar, true)
    for (const cookies of world.stolen) await ask(world, process, cookies, false)
  }
  reference.converged(world.lastValue())
}

/** A step in words. */
function told(step: Step): string {
  const { do: what, ...rest } = step
  return `${what} ${Object.values(rest)
    .map((value) => (typeof value === 'object' ? Object.values(value as object).join(' ') : String(value)))
    .join(' ')}`
}
