import assert from 'node:assert/strict'
import { versionOf, type Backend } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, pause, within } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'
import { anyFault } from './outage-kit.ts'

/** Changes of keys are told to those who keep copies of them. */
export const tracking: Theme<BackendGround> = createTheme('tracking')
const { always, promise } = tracking
const unclaimed = needs('track')

always(
  'tells of each key under a prefix that is written, removed or given another ttl, whoever does it',
  async ({ open, other, key }) => {
    const backend = await open()
    const tracker = await track(backend, key('mine:'))
    const changed = key('mine:a')
    const old = versionOf(bytes('1'))
    const changes: [string, () => Promise<unknown>][] = [
      ['a write', () => other.set(changed, bytes('1'))],
      ['a write on a condition', () => other.set(changed, bytes('2'), { ifVersion: old })],
      ['another ttl', () => other.touch(changed, 3_600_000)],
      ['a removal', () => other.delete(changed)],
      ['a write where nothing was', () => other.set(changed, bytes('3'), { ifAbsent: true })],
      ['a write of its own', () => backend.set(changed, bytes('4'))],
    ]
    for (const [what, change] of changes) {
      tracker.keys.clear()
      await change()
      await eventually(async () => assert.ok(tracker.keys.has(changed), `${what} was not told of`), 2_000)
    }
    tracker.close()
  },
  unclaimed,
)

promise('tells of a key that expires', {
  unclaimed,
  healthy: async ({ open, other, key, wait }) => {
    const tracker = await track(await open(), key('mine:'))
    await other.set(key('mine:a'), bytes('1'), { ttl: 150 })
    await eventually(async () => assert.ok(tracker.keys.has(key('mine:a'))))
    tracker.keys.clear()
    await wait(200)
    await eventually(async () => {
      // Who asks for it may be the first to notice.
      await other.get(key('mine:a'))
      assert.ok(tracker.keys.has(key('mine:a')), 'that it has expired was not told')
    })
    tracker.close()
  },
})

promise('tells of no key beside the prefix, which is plain text', {
  unclaimed,
  healthy: async ({ open, other, key }) => {
    const backend = await open()
    const trackers = [await track(backend, key('a*:')), await track(backend, key('b:'))]
    await allHear(trackers)
    for (const name of ['ab:1', 'a', 'A*:1', 'a*', 'b', 'B:1', 'a*:1', 'b:1'])
      await other.set(key(name), bytes('1'))
    await other.set(key('x:') + key('b:1'), bytes('1'))
    await eventually(async () => {
      assert.deepEqual([...trackers[0]!.keys], [key('a*:1')], 'what is told of under "a*:"')
      assert.deepEqual([...trackers[1]!.keys], [key('b:1')], 'what is told of under "b:"')
    })
    await pause(50)
    assert.deepEqual(
      trackers.map(({ keys }) => keys.size),
      [1, 1],
      'keys that were told of',
    )
    trackers.forEach(({ close }) => close())
  },
})

promise('tells two trackers of which one covers the other, each of its own', {
  unclaimed,
  healthy: async ({ open, other, key }) => {
    const backend = await open()
    const wide = await track(backend, key('wide:'))
    const narrow = await track(backend, key('wide:narrow:'))
    const same = await track(backend, key('wide:narrow:'))
    await allHear([wide, narrow, same])
    await other.set(key('wide:a'), bytes('1'))
    await other.set(key('wide:narrow:a'), bytes('1'))
    await eventually(async () => {
      assert.deepEqual([...wide.keys], [key('wide:a'), key('wide:narrow:a')], 'told to the wide one')
      assert.deepEqual([...narrow.keys], [key('wide:narrow:a')], 'told to the narrow one')
      assert.deepEqual([...same.keys], [key('wide:narrow:a')], 'told to a second narrow one')
    })
    for (const { close } of [wide, narrow, same]) close()
  },
})

promise('proves that it has told of all that was changed before', {
  unclaimed,
  healthy: async ({ open, other, key }) => {
    const tracker = await track(await open(), key('mine:'))
    for (let round = 0; round < 40; round++) {
      const changed = key(`mine:${round}`)
      await other.set(changed, bytes('1'))
      assert.equal(await tracker.prove(), true, 'whether changes are heard')
      assert.ok(tracker.keys.has(changed), `change ${round} was not told of when that was proved`)
    }
    tracker.close()
  },
})

promise('is silent for a tracker that was closed, and not for the others', {
  unclaimed,
  healthy: async ({ open, other, key }) => {
    const backend = await open()
    const [gone, stays] = [await track(backend, key('mine:')), await track(backend, key('mine:'))]
    await allHear([gone, stays])
    gone.close()
    gone.close()
    const { hearings } = gone
    await eventually(async () => {
      await other.set(key('mine:a'), bytes('1'))
      await pause(20)
      assert.ok(stays.keys.has(key('mine:a')), 'the other one is told of nothing')
    })
    assert.deepEqual([gone.keys.size, gone.hearings], [0, hearings], 'what was told to the closed one')
    stays.close()
  },
})

promise('tells that it hears nothing, that it hears again, and of what is changed then', {
  under: ['cut', 'hang'],
  unclaimed,
  async healthy({ open, key }) {
    return track(await open(), key('mine:'))
  },
  async degraded({ fault }, tracker) {
    if (fault === 'cut') await eventually(async () => assert.ok(!tracker.isHearing, 'it claims to hear'))
    const proved = await Promise.race([tracker.prove(), pause(400)])
    assert.notEqual(proved, true, 'it claims to have told of everything')
  },
  async recovered({ other, key, usable }, tracker) {
    await usable()
    await eventually(async () => assert.ok(tracker.isHearing, 'it does not hear again'))
    await eventually(async () => assert.equal(await tracker.prove(), true, 'whether changes are heard'))
    await other.set(key('mine:after'), bytes('1'))
    await eventually(async () => assert.ok(tracker.keys.has(key('mine:after')), 'a change was not told of'))
  },
})

promise('leaves no change untold that an outage delayed, unless it told that it did not hear', {
  under: anyFault,
  unclaimed,
  async healthy({ open, key }) {
    const [backend, writer] = [await open(), await open()]
    return { backend, writer, tracker: await track(backend, key('mine:')) }
  },
  async degraded({ key }, { writer, tracker }) {
    tracker.keys.clear()
    writer.set(key('mine:late'), bytes('late')).catch(() => undefined)
    await pause(50)
  },
  async recovered({ other, key, usable }, { tracker }) {
    await usable()
    const late = await Promise.race([other.get(key('mine:late')), pause(2_000)])
    if (late === undefined) return
    await eventually(async () => {
      const isSafe = tracker.keys.has(key('mine:late')) || tracker.gaps > 0
      assert.ok(isSafe, 'a change was neither told of nor owned up to')
    })
  },
})

promise('tells, without keys, that everything was removed', {
  unclaimed: (ground) =>
    unclaimed(ground) ?? (ground.subject.flush ? undefined : 'the subject offers no flush'),
  async closed({ subject, fault, open, key }) {
    // After all the others: it takes their entries as well.
    if (fault !== 'cut') return
    const backend = await open()
    await backend.set(key('mine:a'), bytes('1'))
    const tracker = await track(backend, key('mine:'))
    tracker.anything = 0
    await subject.flush!()
    await eventually(async () => assert.ok(tracker.anything > 0, 'it was not told of'))
    tracker.close()
  },
})

promise('hears nothing, and claims nothing, once the backend is closed', {
  unclaimed,
  async healthy({ open, other, key }) {
    const backend = await open()
    const tracker = await track(backend, key('mine:'))
    await backend.close()
    await eventually(async () => assert.ok(!tracker.isHearing, 'it claims to hear'))
    assert.notEqual(
      await within(
        2_000,
        tracker.prove().catch(() => false),
        'a proof',
      ),
      true,
      'it claims to have told of everything',
    )
    tracker.keys.clear()
    await other.set(key('mine:a'), bytes('1'))
    await pause(100)
    assert.equal(tracker.keys.size, 0, 'changes it was told of')
  },
})

interface Tracker {
  /** The keys that it was told of. */
  readonly keys: Set<string>
  /** How often it was told that any key may have changed. */
  anything: number
  isHearing: boolean
  /** How often it was told whether changes are heard. */
  hearings: number
  /** How often it was told that changes cannot be heard. */
  gaps: number
  prove(): Promise<boolean>
  close(): void
}

/** Tracks keys, and waits until changes are heard. */
async function track(backend: Backend, prefix: string): Promise<Tracker> {
  const told = { keys: new Set<string>(), anything: 0, isHearing: false, hearings: 0, gaps: 0 }
  const { prove, close } = backend.track!(prefix, {
    onChange(keys) {
      if (keys) for (const key of keys) told.keys.add(key)
      else told.anything++
    },
    onHearing(isHearing) {
      told.isHearing = isHearing
      told.hearings++
      if (!isHearing) told.gaps++
    },
  })
  await eventually(async () => assert.ok(told.isHearing, 'it does not come to hear'))
  return Object.assign(told, { prove, close })
}

/** One that comes may interrupt the others. */
async function allHear(trackers: readonly Tracker[]): Promise<void> {
  await eventually(async () =>
    assert.ok(
      trackers.every(({ isHearing }) => isHearing),
      'one of them does not hear',
    ),
  )
}
