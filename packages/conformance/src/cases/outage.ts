import assert from 'node:assert/strict'
import type { Entries } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, within } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'
import {
  anyFault,
  comesToHold,
  degrade,
  held,
  recovered,
  session,
  startProcess,
  timely,
  wireKeyOf,
} from './outage-kit.ts'

/** A Holdfast on this backend rides out an outage by its rules, and is itself again a second later. */
export const outage: Theme<BackendGround> = createTheme('outages')
const { promise } = outage

promise('ends every call within its deadline, in every state', {
  under: anyFault,
  async healthy(ground) {
    const holdfast = await ground.holdfast()
    const entries = holdfast.entries({ concern: 'cache', rule: 'memory' })
    await callAll(ground, entries)
    return entries
  },
  degraded: async (ground, entries) => {
    for (let round = 0; round < 3; round++) await callAll(ground, entries)
  },
  recovered: callAll,
  closed: callAll,
})

promise('is degraded during an outage and healthy again within a second of its end', {
  under: anyFault,
  async healthy(ground) {
    const process = await startProcess(ground)
    assert.equal(process.holdfast.state, 'healthy')
    const transitions: string[] = []
    process.holdfast.on('transition', ({ to }) => transitions.push(to))
    return { ...process, transitions }
  },
  async degraded(ground, process) {
    await degrade(ground, process)
    await eventually(async () => assert.ok(process.transitions.includes('degraded')))
  },
  async recovered(ground, { holdfast, transitions }) {
    await recovered(ground, holdfast)
    assert.equal(transitions.at(-1), 'healthy')
  },
})

promise('comes up degraded during an outage, and recovers with it', {
  under: anyFault,
  async healthy() {
    return { late: undefined as Awaited<ReturnType<typeof startProcess>> | undefined }
  },
  async degraded(ground, memo) {
    const process = await within(3_000, startProcess(ground), 'starting during an outage')
    assert.notEqual(process.holdfast.state, 'healthy')
    memo.late = process
    assert.equal((await timely(ground, process.sessions.load('a'), 'a load')).status, 'unknown')
  },
  async recovered(ground, { late }) {
    await recovered(ground, late!.holdfast)
    assert.equal((await timely(ground, late!.sessions.load('a'), 'a load')).status, 'missing')
  },
})

promise('refuses everything, in time and by name, under the rule "refuse"', {
  under: anyFault,
  async healthy(ground) {
    const process = await startProcess(ground)
    const entries = process.holdfast.entries({ concern: 'cache', rule: 'refuse' })
    await entries.set('a', 1)
    return { ...process, entries }
  },
  async degraded(ground, { entries, ...process }) {
    await degrade(ground, process)
    const calls: Promise<unknown>[] = [
      entries.get('a'),
      entries.set('a', 2),
      entries.delete('a'),
      entries.touch('a', 1_000),
    ]
    const refused = calls.map((call) =>
      assert.rejects(timely(ground, call, 'a call'), { code: 'ERR_HOLDFAST_UNAVAILABLE' }),
    )
    await Promise.all(refused)
  },
  async recovered(ground, { entries, holdfast }) {
    await recovered(ground, holdfast)
    const reading = await entries.get('a')
    assert.equal(reading.status === 'found' && reading.value, 1)
  },
})

promise('serves nothing stale after an outage under the rule "bypass"', {
  under: anyFault,
  async healthy(ground) {
    const process = await startProcess(ground)
    const cache = process.holdfast.entries({ concern: 'cache', rule: 'bypass' })
    await cache.set('changed', 'old')
    await cache.set('unchanged', 'old')
    return { ...process, cache }
  },
  async degraded(ground, { cache, ...process }) {
    await degrade(ground, process)
    assert.deepEqual(await timely(ground, cache.get('changed'), 'a read'), { status: 'unknown' })
    await timely(ground, cache.set('changed', 'new'), 'a write')
  },
  async recovered(ground, { cache, holdfast }) {
    await recovered(ground, holdfast)
    await comesToHold(ground, `${holdfast.prefix}:cache:changed`, undefined)
    assert.deepEqual(await cache.get('changed'), { status: 'missing', origin: 'primary' })
    assert.equal(await held(ground, `${holdfast.prefix}:cache:unchanged`), 'old')
  },
})

promise('answers "unknown", never "missing", for what it has not seen', {
  under: anyFault,
  async healthy(ground) {
    const [mine, theirs] = [await startProcess(ground), await startProcess(ground)]
    await theirs.sessions.save('unseen', session('ada'))
    return mine
  },
  async degraded(ground, mine) {
    await degrade(ground, mine)
    assert.equal((await timely(ground, mine.sessions.load('unseen'), 'a load')).status, 'unknown')
  },
  async recovered(ground, mine) {
    await recovered(ground, mine.holdfast)
    assert.equal((await mine.sessions.load('unseen')).status, 'found')
  },
})

promise('brings two hundred writes of an outage to the backend', {
  under: anyFault,
  unclaimed: needs('shared'),
  healthy: startProcess,
  async degraded(ground, process) {
    await degrade(ground, process)
    const saves = Array.from({ length: 200 }, (_, i) => process.sessions.save(`s${i}`, session(`user ${i}`)))
    await timely(ground, Promise.all(saves), 'two hundred saves')
    const loaded = await timely(ground, process.sessions.load('s7'), 'a load')
    assert.equal(loaded.status === 'found' && loaded.data.user, 'user 7')
  },
  async recovered(ground, process) {
    await recovered(ground, process.holdfast)
    const wireKeys = Array.from({ length: 200 }, (_, i) => wireKeyOf(process, `s${i}`))
    await eventually(async () => {
      const there = await ground.other.getMany(wireKeys)
      assert.equal(there.filter((value) => value !== undefined).length, 200, 'sessions in the backend')
    })
    assert.deepEqual(await held(ground, wireKeys[7]!), session('user 7'))
  },
})

promise('closes in time, whatever the other side does', {
  under: anyFault,
  healthy: (ground) => ground.holdfast(),
  async degraded(ground, holdfast) {
    const entries = holdfast.entries({ concern: 'session' })
    const call = entries.set('a', bytes('1'))
    await within(ground.deadline * 5 + 1_000, holdfast.close(), 'closing during an outage')
    await timely(ground, call, 'a call under way when it was closed')
  },
})

async function callAll(ground: BackendGround, entries: Entries): Promise<void> {
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => entries.get('a'),
    getMany: () => entries.getMany(['a', 'b']),
    set: () => entries.set('a', 1, { ttl: 60_000 }),
    'conditional set': () => entries.set('b', 1, { over: 'absent' }),
    touch: () => entries.touch('a', 60_000),
    delete: () => entries.delete('b'),
  }
  await Promise.all(Object.entries(calls).map(([method, call]) => timely(ground, call(), method)))
}
