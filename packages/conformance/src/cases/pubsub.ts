import assert from 'node:assert/strict'
import type { Backend } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, pause } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'

/** Messages reach those who listen. */
export const pubsub: Theme<BackendGround> = createTheme('messages')
const { always, promise } = pubsub

always(
  'delivers what is published once a subscription is there, to every listener, byte by byte',
  async ({ backend, key }) => {
    const first = await listen(backend, key('channel'))
    const second = await listen(backend, key('channel'))
    const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte))
    await backend.publish(key('channel'), all)
    await backend.publish(key('channel'), bytes(''))
    const expected = [all.toString('latin1'), '']
    await eventually(async () => assert.deepEqual([first.heard, second.heard], [expected, expected]))
    await Promise.all([first.close(), second.close()])
  },
)

always(
  'delivers to other clients',
  async ({ backend, other, key }) => {
    const listener = await listen(other, key('channel'))
    await backend.publish(key('channel'), bytes('to the other side'))
    await eventually(async () => assert.deepEqual(listener.heard, ['to the other side']))
    await listener.close()
  },
  needs('shared'),
)

always('delivers in the order of publishing, each message once', async ({ backend, key }) => {
  const listener = await listen(backend, key('channel'))
  const messages = Array.from({ length: 100 }, (_, i) => `message ${i}`)
  for (const message of messages) await backend.publish(key('channel'), bytes(message))
  await eventually(async () => assert.equal(listener.heard.length, messages.length))
  await pause(50)
  assert.deepEqual(listener.heard, messages)
  await listener.close()
})

always('delivers a message of 100 kB', async ({ backend, key }) => {
  const listener = await listen(backend, key('channel'))
  const message = Buffer.alloc(100 * 1024, 'holdfast!')
  await backend.publish(key('channel'), message)
  await eventually(async () => assert.equal(listener.heard.length, 1, 'messages'))
  assert.ok(listener.heard[0] === message.toString('latin1'), 'what was heard is not what was published')
  await listener.close()
})

always('delivers what was published when the publisher changes its buffer afterwards', async (ground) => {
  const { backend, key } = ground
  const listener = await listen(backend, key('channel'))
  const message = bytes('as it was')
  await backend.publish(key('channel'), message)
  message.fill(120)
  await eventually(async () => assert.deepEqual(listener.heard, ['as it was']))
  await listener.close()
})

always('gives each listener bytes of its own, which it may change', async ({ backend, key }) => {
  const heard: string[] = []
  const subscriptions = await Promise.all(
    ['first', 'second'].map(() =>
      backend.subscribe(key('channel'), (message) => {
        heard.push(Buffer.from(message).toString())
        message.fill(120)
      }),
    ),
  )
  await backend.publish(key('channel'), bytes('as it was'))
  await eventually(async () => assert.deepEqual(heard, ['as it was', 'as it was']))
  await Promise.all(subscriptions.map((subscription) => subscription.close()))
})

always('keeps channels apart: glob characters mean themselves', async ({ backend, key }) => {
  const [star, plain] = [await listen(backend, key('a*')), await listen(backend, key('ab'))]
  await backend.publish(key('ab'), bytes('for ab'))
  await backend.publish(key('a*'), bytes('for a*'))
  await eventually(async () => assert.deepEqual([star.heard, plain.heard], [['for a*'], ['for ab']]))
  await pause(50)
  assert.deepEqual([star.heard, plain.heard], [['for a*'], ['for ab']])
  await Promise.all([star.close(), plain.close()])
})

always('is silent for a listener that has left, and not for the others', async ({ backend, key }) => {
  const [gone, stays] = [await listen(backend, key('channel')), await listen(backend, key('channel'))]
  await gone.close()
  await gone.close()
  await backend.publish(key('channel'), bytes('later'))
  await eventually(async () => assert.deepEqual(stays.heard, ['later']))
  assert.deepEqual(gone.heard, [], 'the listener that has left')
  await stays.close()
})

always('keeps no message for those who come later', async ({ backend, key }) => {
  await backend.publish(key('channel'), bytes('before'))
  const listener = await listen(backend, key('channel'))
  await backend.publish(key('channel'), bytes('after'))
  await eventually(async () => assert.ok(listener.heard.includes('after')))
  assert.deepEqual(listener.heard, ['after'])
  await listener.close()
})

promise('listens again after an outage, without being told', {
  under: ['cut', 'hang'],
  async healthy({ backend, key }) {
    const listener = await listen(backend, key('channel'))
    await backend.publish(key('channel'), bytes('before'))
    await eventually(async () => assert.deepEqual(listener.heard, ['before']))
    return listener
  },
  recovered: ({ backend, key }, listener) => hearsAgain(backend, key('channel'), listener),
})

promise('listens again after a second outage, and tells of its gap', {
  async healthy({ backend, key }) {
    return listen(backend, key('channel'))
  },
  async recovered({ backend, key }, listener) {
    await hearsAgain(backend, key('channel'), listener)
    if (backend.watch)
      await eventually(async () => assert.ok(listener.gaps > 0, 'the first gap was not told'))
    listener.gaps = 0
    listener.heard.length = 0
  },
  async 'recovered again'({ backend, key }, listener) {
    await hearsAgain(backend, key('channel'), listener)
    if (backend.watch)
      await eventually(async () => assert.ok(listener.gaps > 0, 'the second gap was not told'))
  },
})

promise('tells those who listen of the loss and, once they hear again and not before, of the gap', {
  unclaimed: needs('watch'),
  async healthy({ backend, key }) {
    const names = ['channel', 'channel', 'another']
    const listeners = await Promise.all(names.map((name) => listen(backend, key(name))))
    const gone = await listen(backend, key('channel'))
    await gone.close()
    return { listeners, gone }
  },
  async degraded(_, { listeners, gone }) {
    // What was told so far was told of another gap, or too early.
    for (const listener of [...listeners, gone]) listener.gaps = 0
    gone.losses = 0
  },
  async recovered({ other, key, usable }, { listeners, gone }) {
    await eventually(async () => {
      for (const { gaps } of listeners) assert.ok(gaps > 0, 'nobody told it that messages may be missing')
    })
    for (const { losses } of listeners) assert.ok(losses > 0, 'nobody told it that none are heard')
    assert.equal(gone.gaps + gone.losses, 0, 'the listener that has left was told of a gap')
    await usable()
    for (const name of ['channel', 'another']) await other.publish(key(name), bytes('after'))
    await eventually(async () => {
      for (const { heard } of listeners) assert.deepEqual(heard, ['after'])
    })
  },
})

async function hearsAgain(backend: Backend, channel: string, { heard }: Listening): Promise<void> {
  await eventually(async () => {
    await backend.publish(channel, bytes('after'))
    await pause(50)
    assert.ok(heard.includes('after'), 'nothing was heard after the outage')
  })
}

interface Listening {
  readonly heard: string[]
  /** How often it was told of a gap. */
  gaps: number
  losses: number
  close(): Promise<void>
}

async function listen(backend: Backend, channel: string): Promise<Listening> {
  const told = { heard: [] as string[], gaps: 0, losses: 0 }
  const { close } = await backend.subscribe(
    channel,
    (message) => told.heard.push(Buffer.from(message).toString('latin1')),
    { onGap: () => void told.gaps++, onLost: () => void told.losses++ },
  )
  return Object.assign(told, { close })
}
