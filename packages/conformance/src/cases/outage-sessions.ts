import assert from 'node:assert/strict'
import type { Loaded } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'
import {
  anyFault,
  comesToHold,
  degrade,
  recovered,
  session,
  startProcess,
  timely,
  wireKeyOf,
  type Process,
} from './outage-kit.ts'

/** Sessions go on through an outage, and what was decided in it counts afterwards. */
export const outageSessions: Theme<BackendGround> = createTheme('sessions in outages')
const { promise } = outageSessions
const unclaimed = needs('shared')

promise('goes on with a session that was seen, its writes included', {
  under: anyFault,
  unclaimed,
  healthy: withSession,
  async degraded(ground, process) {
    await degrade(ground, process)
    const loaded = await timely(ground, process.sessions.load('a'), 'a load')
    assert.equal(userOf(loaded), 'ada')
    await timely(ground, process.sessions.save('a', session('grace'), loaded), 'a save')
    assert.equal(userOf(await timely(ground, process.sessions.load('a'), 'a load')), 'grace')
  },
  async recovered(ground, process) {
    await comesToHold(ground, wireKeyOf(process, 'a'), session('grace'))
    await recovered(ground, process.holdfast)
    assert.equal(userOf(await process.sessions.load('a')), 'grace')
  },
})

promise('keeps a session ended that was ended in the outage', {
  under: anyFault,
  unclaimed,
  healthy: withSession,
  async degraded(ground, process) {
    const before = await timely(ground, process.sessions.load('a'), 'a load')
    await timely(ground, process.sessions.end('a'), 'the end')
    assert.equal((await timely(ground, process.sessions.load('a'), 'a load')).status, 'missing')
    await timely(ground, process.sessions.save('a', session('ghost'), before), 'a late save')
    assert.equal(
      (await timely(ground, process.sessions.load('a'), 'a load')).status,
      'missing',
      'a late save brought it back',
    )
  },
  async recovered(ground, process) {
    await recovered(ground, process.holdfast)
    await comesToHold(ground, wireKeyOf(process, 'a'), undefined)
    assert.equal((await process.sessions.load('a')).status, 'missing')
  },
})

promise('keeps a session ended that one process ended while another saved it', {
  under: anyFault,
  unclaimed,
  healthy: twoProcesses,
  async degraded(ground, { mine, theirs, loaded }) {
    await Promise.all([degrade(ground, mine), degrade(ground, theirs)])
    await timely(ground, mine.sessions.save('a', session('grace'), loaded), 'a save')
    await timely(ground, theirs.sessions.end('a'), 'the end')
  },
  async recovered(ground, { mine, theirs }) {
    await recovered(ground, mine.holdfast, theirs.holdfast)
    await comesToHold(ground, wireKeyOf(mine, 'a'), undefined)
  },
})

promise('lets the newer of two writes stand that two processes made in the outage', {
  under: anyFault,
  unclaimed,
  healthy: twoProcesses,
  async degraded(ground, { mine, theirs, loaded, theirsLoaded }) {
    await Promise.all([degrade(ground, mine), degrade(ground, theirs)])
    await timely(ground, mine.sessions.save('a', session('older'), loaded), 'a save')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await timely(ground, theirs.sessions.save('a', session('newer'), theirsLoaded), 'a save')
  },
  async recovered(ground, { mine, theirs }) {
    await recovered(ground, mine.holdfast, theirs.holdfast)
    await comesToHold(ground, wireKeyOf(mine, 'a'), session('newer'))
  },
})

promise('adds what was saved over an unseen session to it, instead of replacing it', {
  under: anyFault,
  unclaimed,
  async healthy(ground) {
    const [mine, theirs] = [await startProcess(ground), await startProcess(ground)]
    await theirs.sessions.save('a', { cookie: {}, user: 'ada', basket: 1 })
    return mine
  },
  async degraded(ground, mine) {
    await degrade(ground, mine)
    const unknown = await timely(ground, mine.sessions.load('a'), 'a load')
    assert.equal(unknown.status, 'unknown')
    await timely(ground, mine.sessions.save('a', { cookie: {}, basket: 2 }, unknown), 'a save')
  },
  async recovered(ground, mine) {
    await recovered(ground, mine.holdfast)
    await comesToHold(ground, wireKeyOf(mine, 'a'), { cookie: {}, user: 'ada', basket: 2 })
  },
})

interface Pair {
  mine: Process
  theirs: Process
  loaded: Loaded
  theirsLoaded: Loaded
}

async function twoProcesses(ground: BackendGround): Promise<Pair> {
  const [mine, theirs] = [await withSession(ground), await startProcess(ground)]
  return {
    mine,
    theirs,
    loaded: await mine.sessions.load('a'),
    theirsLoaded: await theirs.sessions.load('a'),
  }
}

async function withSession(ground: BackendGround): Promise<Process> {
  const process = await startProcess(ground)
  await process.sessions.save('a', session('ada'))
  assert.equal(userOf(await process.sessions.load('a')), 'ada')
  return process
}

function userOf(loaded: Loaded): unknown {
  return loaded.status === 'found' ? loaded.data.user : loaded.status
}
