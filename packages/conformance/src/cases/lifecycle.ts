import assert from 'node:assert/strict'
import type { Backend, ConnectionChange } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { answers, bytes, doesNotAnswer, eventually, margin, pause, same, within } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'

/** A backend says what it is, says when it is lost, and ends when it is told to. */
export const lifecycle: Theme<BackendGround> = createTheme('life cycle')
const { always, promise } = lifecycle

always('names itself, and says what it can do', async ({ backend }) => {
  assert.ok(typeof backend.name === 'string' && backend.name !== '', 'the name should be a text')
  assert.equal(typeof backend.capabilities.shared, 'boolean', 'capabilities.shared')
  assert.equal(typeof backend.capabilities.durable, 'boolean', 'capabilities.durable')
})

always('answers a ping', async ({ backend }) => within(2_000, backend.ping(), 'a ping'))

promise('answers no call at all once it is closed', {
  async healthy({ open, key }) {
    const backend = await open()
    await backend.set(key('a'), bytes('1'))
    return backend
  },
  async closed({ key }, backend) {
    for (const [method, call] of Object.entries(calls(backend, key('a')))) {
      await assert.rejects(
        within(margin, call(), method),
        (error: Error) => !error.message.includes('took longer'),
        `${method} should reject`,
      )
    }
  },
})

promise('can be closed twice, and at once', {
  healthy: ({ open }) => open(),
  async closed(_, backend) {
    await within(margin, Promise.all([backend.close(), backend.close()]), 'closing again')
  },
})

promise('settles what is under way when it is closed', {
  async healthy({ open, key }) {
    const backend = await open()
    await backend.ping()
    const pending = Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => backend.set(key(`late ${i}`), bytes('1'))),
    )
    await backend.close()
    await within(1_000, pending, 'what was under way')
  },
})

always('leaves other clients alone when one is closed', async ({ open, key }) => {
  const [one, other] = [await open(), await open()]
  await other.set(key('a'), bytes('1'))
  await one.ping()
  await one.close()
  same(await other.get(key('a')), '1')
})

promise('is silent once it is closed', {
  async healthy({ open, key }) {
    const [listens, speaks] = [await open(), await open()]
    const heard: unknown[] = []
    await listens.subscribe(key('channel'), (message) => heard.push(message))
    await listens.close()
    await speaks.publish(key('channel'), bytes('anyone?'))
    await pause(100)
    return heard
  },
  closed: async (_, heard) => assert.deepEqual(heard, [], 'a closed backend heard a message'),
})

promise('tells at once that it is ready, and says no more when it is not watched', {
  unclaimed: needs('watch'),
  async healthy({ backend }) {
    const changes: string[] = []
    const stop = backend.watch!(({ status }) => changes.push(status))
    await eventually(async () => assert.deepEqual(changes, ['ready']))
    stop()
    return changes
  },
  recovered: async (_, changes) =>
    assert.deepEqual(changes, ['ready'], 'it was heard after it was told to stop'),
})

promise('tells when the connection is lost, and when it is usable again', {
  unclaimed: needs('watch'),
  async healthy({ open }) {
    const changes: ConnectionChange[] = []
    const backend = await open()
    backend.watch!((change) => changes.push(change))
    await eventually(async () => assert.equal(changes.at(-1)?.status, 'ready'))
    return { backend, changes }
  },
  degraded: async (_, { changes }) => eventually(async () => assert.equal(changes.at(-1)?.status, 'lost')),
  async recovered({ key }, { backend, changes }) {
    await eventually(async () => assert.equal(changes.at(-1)?.status, 'ready'))
    await backend.set(key('a'), bytes('usable'))
    same(await backend.get(key('a')), 'usable')
  },
})

always(
  'can be asked again after a reset',
  async ({ open, key }) => {
    const backend = await open()
    await backend.set(key('a'), bytes('1'))
    const asked = backend.get(key('a')).then(
      (value) => same(value, '1', 'what was asked for before'),
      () => undefined,
    )
    backend.reset!()
    await within(2_000, asked, 'a call of before the reset')
    await eventually(async () => same(await backend.get(key('a')), '1'))
  },
  needs('reset'),
)

promise('never says "not there" when it cannot ask', {
  under: ['cut', 'hang'],
  async healthy({ open, key }) {
    const backend = await open()
    await backend.set(key('a'), bytes('there'))
    return backend
  },
  async degraded({ key }, backend) {
    const asked = Object.entries(calls(backend, key('a')))
    await Promise.all(asked.map(([method, call]) => doesNotAnswer(call(), method)))
  },
  async recovered({ key }, backend) {
    await answers(backend)
    await backend.set(key('a'), bytes('again'))
    same(await backend.get(key('a')), 'again')
  },
})

/** Every way to ask a backend something. */
function calls(backend: Backend, key: string): Record<string, () => Promise<unknown>> {
  const { sets } = backend
  const set = `${key} set`
  return {
    get: () => backend.get(key),
    getMany: () => backend.getMany([key]),
    ...(backend.getBound && { getBound: () => backend.getBound!(key) }),
    set: () => backend.set(key, bytes('2')),
    'set if absent': () => backend.set(key, bytes('3'), { ifAbsent: true }),
    delete: () => backend.delete(key),
    touch: () => backend.touch(key, 60_000),
    scan: async () => {
      for await (const _ of backend.scan(key));
    },
    publish: () => backend.publish(key, bytes('4')),
    subscribe: () => backend.subscribe(key, () => undefined),
    ...(sets && {
      'sets.add': () => sets.add(set, [['a', Date.UTC(2100, 0)]]),
      'sets.remove': () => sets.remove(set, ['b']),
      'sets.members': () => sets.members(set, { from: 0, limit: 1 }),
      'sets.scan': async () => {
        for await (const _ of sets.scan(set));
      },
    }),
    ping: () => backend.ping(),
  }
}
