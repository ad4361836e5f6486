import type { Backend } from '../../src/backend/backend.ts'
import { calm, evict, failover, noteSettled, replayAll, restart } from './faults.ts'
import { forged } from './forged.ts'
import { createRandom } from './random.ts'
import { ask, begin, finish, request, type Pending } from './requests.ts'
import { keys, told, type Schedule, type Step } from './schedule.ts'
import { Violation } from './session.ts'
import { createWorld, type World } from './world.ts'

const stepTime = 2
const remembered = 6

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
      noteSettled(world)
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
      if (cookies) await ask(world, processes[step.process]!, cookies)
      return
    }
    case 'forge': {
      const cookies = forged(
        step.how,
        browsers[step.browser]!.jar,
        browsers.find(({ index }) => index !== step.browser)!.jar,
      )
      if (cookies) await ask(world, processes[step.process]!, cookies)
      return
    }
    case 'drop token':
      return browsers[step.browser]!.dropToken()
    case 'line':
      for (const { link, index } of processes)
        if (step.process === 'all' || step.process === index) link.become(step.is)
      return
    case 'deafen':
      return processes[step.process]!.link.deafen()
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
      await clock.advance(step.ms)
      noteSettled(world)
      return replayAll(world)
    case 'calm':
      return calm(world)
  }
}
