import assert from 'node:assert/strict'
import { versionOf, type Backend } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, pause, same, steadily, within } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'
import { comesToHold, lateFaults, recovered, session, startProcess, timely, wireKeyOf } from './outage-kit.ts'

/** A write that was given up may take effect after all, and does no harm then. */
export const outageLate: Theme<BackendGround> = createTheme('late effects')
const { promise } = outageLate
const unclaimed = needs('shared')

promise('checks the condition of a write when it takes effect, not when it was sent', {
  under: lateFaults,
  unclaimed,
  async healthy({ open, key }) {
    const backend = await open()
    await backend.set(key('version'), bytes('old'))
    return backend
  },
  async degraded({ key }, backend) {
    giveUp(backend.set(key('version'), bytes('late'), { ifVersion: versionOf(bytes('old')) }))
    giveUp(backend.set(key('absent'), bytes('late'), { ifAbsent: true }))
    await pause(50)
  },
  async recovered({ other, key }) {
    for (const name of ['version', 'absent']) {
      await eventually(() => within(400, write(other, key(name)), 'a write after the outage'), 4_000)
      await steadily(
        async () => same(await other.get(key(name)), 'newer', `the newer entry "if ${name}"`),
        600,
      )
    }
  },
})

promise('does not bring back an entry that was deleted after its write was given up', {
  under: lateFaults,
  unclaimed,
  async healthy(ground) {
    const process = await startProcess(ground)
    await process.sessions.save('a', session('ada'))
    return { process, loaded: await process.sessions.load('a') }
  },
  async degraded(ground, { process, loaded }) {
    await timely(ground, process.sessions.save('a', session('late'), loaded), 'the save that is given up')
    await timely(ground, process.sessions.end('a'), 'the end')
  },
  async recovered(ground, { process }) {
    await recovered(ground, process.holdfast)
    await comesToHold(ground, wireKeyOf(process, 'a'), undefined)
    assert.equal((await process.sessions.load('a')).status, 'missing')
  },
})

promise('does not let a write that was given up replace a newer one', {
  under: lateFaults,
  unclaimed,
  async healthy(ground) {
    const process = await startProcess(ground)
    await process.sessions.save('a', session('ada'))
    return { process, loaded: await process.sessions.load('a') }
  },
  async degraded(ground, { process, loaded }) {
    const saved = await timely(
      ground,
      process.sessions.save('a', session('late'), loaded),
      'the save that is given up',
    )
    await timely(ground, process.sessions.save('a', session('newest'), saved), 'the save after it')
  },
  async recovered(ground, { process }) {
    await recovered(ground, process.holdfast)
    await comesToHold(ground, wireKeyOf(process, 'a'), session('newest'))
  },
})

promise('keeps an entry deleted that another client deletes right after the outage', {
  under: lateFaults,
  unclaimed,
  async healthy(ground) {
    const process = await startProcess(ground)
    await process.sessions.save('a', session('ada'))
    return { process, loaded: await process.sessions.load('a') }
  },
  async degraded(ground, { process, loaded }) {
    await timely(ground, process.sessions.save('a', session('late'), loaded), 'the save that is given up')
  },
  async recovered(ground, { process }) {
    await eventually(
      () => within(400, ground.other.delete(wireKeyOf(process, 'a')), 'a deletion').then(() => undefined),
      4_000,
    )
    await recovered(ground, process.holdfast)
    await comesToHold(ground, wireKeyOf(process, 'a'), undefined)
    assert.equal((await process.sessions.load('a')).status, 'missing')
  },
})

promise('keeps a session ended whose end itself was given up', {
  under: lateFaults,
  unclaimed,
  async healthy(ground) {
    const process = await startProcess(ground)
    await process.sessions.save('a', session('ada'))
    return process
  },
  async degraded(ground, process) {
    await timely(ground, process.sessions.end('a'), 'the end that is given up')
    const reborn = await timely(ground, process.sessions.load('a'), 'a load')
    assert.equal(reborn.status, 'missing')
  },
  async recovered(ground, process) {
    await recovered(ground, process.holdfast)
    await comesToHold(ground, wireKeyOf(process, 'a'), undefined)
  },
})

async function write(backend: Backend, key: string): Promise<void> {
  await backend.set(key, bytes('newer'))
}

/** The caller has gone; what becomes of the call concerns nobody any more. */
function giveUp(call: Promise<unknown>): void {
  call.catch(() => undefined)
}
