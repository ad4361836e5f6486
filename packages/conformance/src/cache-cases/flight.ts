import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import { none, pause, within } from '../expect.ts'
import { claims, counted, FactoryError, failing, times } from './kit.ts'

/** One factory runs per key at a time, whatever comes of it. */
export const flight: Theme<CacheGround> = createTheme('single-flight')
const { always } = flight

const callers = 1_000
/** How long a factory takes, in ms. */
const work = 60

always('runs one factory for a thousand callers of a cold key, who all get its value', async (ground) => {
  const { cache, key } = ground
  const factory = counted(() => ({ made: true }), work)
  const given = await Promise.all(times(callers, () => cache.getOrSet(key('a'), factory)))
  assert.equal(factory.calls, 1, 'factories')
  for (const value of given) if (!isMade(value)) assert.deepEqual(value, { made: true })
  assert.deepEqual(await cache.getOrSet(key('a'), failing), { made: true })
})

always(
  'runs one factory for a thousand callers when it throws: each gets the error, at once',
  async (ground) => {
    const { cache, key } = ground
    const factory = counted(failing, work)
    const calls = Promise.allSettled(times(callers, () => cache.getOrSet(key('a'), factory)))
    const outcomes = await within(work + 4_000, calls, 'a thousand rejections')
    assert.equal(factory.calls, 1, 'factories')
    const rejected = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof FactoryError,
    )
    assert.equal(rejected.length, callers, 'callers that got the error of the factory')
    assert.equal(await cache.getOrSet(key('a'), () => 'made'), 'made', 'the next call')
  },
)

always(
  'runs one factory for a thousand callers when it gives null, which is kept',
  async ({ cache, key }) => {
    const factory = counted(() => null, work)
    const given = await Promise.all(times(callers, () => cache.getOrSet(key('a'), factory)))
    assert.equal(given.filter((value) => value === null).length, callers, 'callers that got null')
    assert.equal(await cache.getOrSet(key('a'), factory), null)
    assert.equal(factory.calls, 1, 'factories')
  },
)

always(
  'runs one factory for a thousand callers when it gives undefined, which is not kept',
  async (ground) => {
    const { cache, key } = ground
    const factory = counted(() => undefined, work)
    const given = await Promise.all(times(callers, () => cache.getOrSet(key('a'), factory)))
    assert.equal(given.filter((value) => value === undefined).length, callers, 'callers that got undefined')
    assert.equal(factory.calls, 1, 'factories')
    none(await cache.get(key('a')))
    assert.equal(await cache.getOrSet(key('a'), () => 'made'), 'made', 'once there is one')
  },
)

always('runs a factory of its own for each key, and mixes none up', async ({ cache, key }) => {
  const factories = times(100, (i) => counted(() => ({ i }), work / 2))
  const given = await Promise.all(
    factories.flatMap((factory, i) => times(5, () => cache.getOrSet(key(`${i}`), factory))),
  )
  given.forEach((value, position) => assert.deepEqual(value, { i: Math.floor(position / 5) }))
  assert.deepEqual(new Set(factories.map(({ calls }) => calls)), new Set([1]), 'factories of each key')
})

always('holds no key up by the factory of another', async ({ cache, key }) => {
  const gate = Promise.withResolvers<string>()
  const slow = cache.getOrSet(key('slow'), () => gate.promise)
  await cache.set(key('there'), 'there')
  assert.equal(await within(2_000, cache.get(key('there')), 'a read'), 'there')
  assert.equal(
    await within(
      2_000,
      cache.getOrSet(key('cold'), () => 'made'),
      'another factory',
    ),
    'made',
  )
  gate.resolve('late')
  assert.equal(await slow, 'late')
})

always('takes a factory that throws before it gives a promise for one that fails', async ({ cache, key }) => {
  await assert.rejects(async () => cache.getOrSet(key('a'), failing), FactoryError)
})

always(
  'runs one factory in two processes at a time',
  async ({ cache, peer, key }) => {
    const factory = counted(() => ({ made: true }), 200)
    const mine = times(20, () => cache.getOrSet(key('a'), factory))
    const theirs = times(20, () => peer.getOrSet(key('a'), factory))
    const given = await Promise.all([...mine, ...theirs])
    for (const value of given) assert.deepEqual(value, { made: true })
    assert.equal(factory.calls, 1, 'factories')
  },
  claims('createPeer'),
)

always(
  'lets another process try whose turn comes after a factory that failed',
  async ({ cache, peer, key }) => {
    const begun = Promise.withResolvers<void>()
    const fails = async (): Promise<never> => {
      begun.resolve()
      await pause(work)
      return failing()
    }
    const failed = cache.getOrSet(key('a'), fails).catch((error: unknown) => error)
    await begun.promise
    const made = within(
      3_000,
      peer.getOrSet(
        key('a'),
        counted(() => 'made'),
      ),
      'the next factory',
    )
    assert.equal(await made, 'made')
    assert.ok((await failed) instanceof FactoryError, 'the first one should get the error')
  },
  claims('createPeer'),
)

function isMade(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'made' in value && value.made === true
}
