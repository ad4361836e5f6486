import { createHoldfast } from '@holdfast/core'
import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entriesOf } from './grounds.ts'
import { KeyvHoldfast, type KeyvHoldfastOptions } from '../src/index.ts'

let redis: RedisServer
const open: KeyvHoldfast[] = []
beforeEach(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.disconnect()))
  await redis.stop()
})

async function on(options: KeyvHoldfastOptions = {}): Promise<KeyvHoldfast> {
  const store = new KeyvHoldfast({ redis: redis.url, logger: false, ...options })
  open.push(store)
  await store.holdfast.ready()
  return store
}

/** What came of a call: its answer, or the code of its error. */
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: { code: string }) => error.code)

describe('what Keyv makes of an error, as the README tells it', () => {
  const away = 'ERR_HOLDFAST_UNAVAILABLE'
  const missed = [undefined, [undefined], false, [false], false, false, undefined, new Map()]
  const thrown = missed.map(() => away)

  it.each([
    ['Keyv 6 with a listener', Keyv6, {}, true, missed, 8],
    ['Keyv 6 without one', Keyv6, {}, false, thrown, 0],
    [
      'Keyv 5',
      Keyv5 as unknown as typeof Keyv6,
      {},
      true,
      [undefined, away, away, away, false, false, undefined, away],
      3,
    ],
    ['Keyv 5 that throws', Keyv5 as unknown as typeof Keyv6, { throwOnErrors: true }, true, thrown, 3],
  ])('%s', async (_name, Keyv, options, listens, outcomes, events) => {
    const store = await on({ rule: 'refuse' })
    const keyv = new Keyv({ store, namespace: 'refuse', ...options })
    const emitted: unknown[] = []
    if (listens) keyv.on('error', (error: { code: string }) => void emitted.push(error.code))
    await redis.kill()
    expect(
      await Promise.all(
        [
          keyv.get('foo'),
          keyv.get(['foo']),
          keyv.has('foo'),
          keyv.hasMany(['foo']),
          keyv.set('foo', 1),
          keyv.delete('foo'),
          keyv.clear(),
          entriesOf(keyv.iterator()),
        ].map(outcomeOf),
      ),
    ).toEqual(outcomes)
    expect(emitted).toEqual(Array.from({ length: events }, () => away))
  })

  it.each([
    ['Keyv 5', Keyv5 as unknown as typeof Keyv6],
    ['Keyv 6', Keyv6],
  ])('%s where a key or a value is too large', async (_name, Keyv) => {
    const keyv = new Keyv({ store: await on(), namespace: 'large' })
    const emitted: unknown[] = []
    keyv.on('error', (error: { code: string }) => void emitted.push(error.code))
    expect(await keyv.set('foo', 'x'.repeat(9_000_000))).toBe(false)
    expect(await keyv.set('k'.repeat(70_000), 1)).toBe(false)
    expect(emitted).toEqual(['ERR_HOLDFAST_VALUE_TOO_LARGE', 'ERR_HOLDFAST_KEY'])
  })
})

describe('once it is disconnected', () => {
  const answers = {
    bypass: [undefined, [undefined], false, false, false, undefined, new Map()],
    memory: [undefined, [undefined], false, false, true, undefined, new Map([['foo', 2]])],
    refuse: Array.from({ length: 7 }, () => 'ERR_HOLDFAST_UNAVAILABLE'),
  }

  it.each(['bypass', 'memory', 'refuse'] as const)(
    '%s: an adapter answers as while Redis is away, used before or not',
    async (rule) => {
      for (const uses of [true, false]) {
        const store = await on({ rule, namespace: 'closed' })
        if (uses) expect(await store.set('foo', 1)).toBe(true)
        await store.disconnect()
        expect(await outcomeOf(store.get('foo'))).toEqual(answers[rule][0])
        expect(await outcomeOf(store.getMany(['foo']))).toEqual(answers[rule][1])
        expect(await outcomeOf(store.has('foo'))).toEqual(answers[rule][2])
        expect(await outcomeOf(store.delete('foo'))).toEqual(answers[rule][3])
        expect(await outcomeOf(store.set('foo', 2))).toEqual(answers[rule][4])
        expect(await outcomeOf(store.clear())).toEqual(answers[rule][5])
        if (rule === 'memory') await store.set('foo', 2)
        expect(await outcomeOf(entriesOf(store.iterator()))).toEqual(answers[rule][6])
        store.namespace = 'closed'
        expect(() => (store.namespace = 'another')).toThrow(
          expect.objectContaining({ code: 'ERR_HOLDFAST_CLOSED' }),
        )
      }
    },
  )

  it.each([
    ['bypass', 'token', undefined, 'found'],
    ['memory', 'memory', undefined, 'found'],
    ['refuse', 'refuse', 'ERR_HOLDFAST_UNAVAILABLE', 'ERR_HOLDFAST_UNAVAILABLE'],
  ] as const)('%s: so do caches and sessions', async (rule, sessionRule, value, status) => {
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    const cache = holdfast.cache({ rule })
    const continuity = sessionRule === 'token' && { continuity: { secrets: ['x'.repeat(32)] } }
    const sessions = holdfast.sessions({ rule: sessionRule, ...continuity })
    await cache.set('foo', 1)
    await holdfast.close()
    expect(await outcomeOf(cache.get('foo'))).toBe(value)
    const saved = sessions.save('a', { cookie: { originalMaxAge: 60_000 } })
    expect(await outcomeOf(saved.then((loaded) => loaded.status))).toBe(status)
    const closed = expect.objectContaining({ code: 'ERR_HOLDFAST_CLOSED' })
    expect(() => holdfast.cache()).toThrow(closed)
    expect(() => holdfast.sessions()).toThrow(closed)
    expect(() => holdfast.entries({ concern: 'cache' })).toThrow(closed)
    expect(() => new KeyvHoldfast({ holdfast })).toThrow(closed)
  })
})
