import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import type { ConformantCache } from '../conformant-cache.ts'
import { eventually, margin, within } from '../expect.ts'
import { anyFault, claims, counted, failing, failsWithFactory, timely, times } from './kit.ts'

/** No call fails or waits because the other side is away, and the database survives it too. */
export const outage: Theme<CacheGround> = createTheme('outages')
const { promise } = outage

const hour = 3_600_000

promise('answers every call in time and without an error', {
  under: anyFault,
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', 'there', { tags: ['tag'] })
    return cache
  },
  async degraded(ground, cache) {
    for (let round = 0; round < 2; round++) await callAll(ground, cache)
  },
})

promise('makes what it cannot ask for: by one factory per key at a time', {
  under: anyFault,
  healthy: ({ open }) => open(),
  async degraded(ground, cache) {
    for (const name of ['first', 'second']) {
      const factory = counted(() => ({ name }), 100)
      const given = await timely(
        ground,
        Promise.all(times(100, () => cache.getOrSet(name, factory))),
        'a hundred callers of one key',
      )
      for (const value of given) assert.deepEqual(value, { name })
      assert.equal(factory.calls, 1, 'factories')
    }
    for (const empty of [null, undefined]) {
      const factory = counted(() => empty, 50)
      const given = await timely(
        ground,
        Promise.all(times(20, () => cache.getOrSet(`gives ${empty}`, factory))),
        `callers of a factory that gives ${empty}`,
      )
      assert.deepEqual(new Set(given), new Set([empty]))
      assert.equal(factory.calls, 1, `factories that give ${empty}`)
    }
  },
})

promise('gives the error of a factory that fails, to all who wait for it', {
  under: anyFault,
  healthy: ({ open }) => open(),
  async degraded(ground, cache) {
    const factory = counted(failing, 100)
    await timely(
      ground,
      Promise.all(times(50, () => failsWithFactory(cache.getOrSet('a', factory), 'getOrSet'))),
      'fifty callers of a factory that fails',
    )
    assert.equal(factory.calls, 1, 'factories')
    assert.equal(
      await timely(
        ground,
        cache.getOrSet('a', () => 'made'),
        'the next call',
      ),
      'made',
    )
  },
})

promise('runs no more factories at once than it says', {
  under: anyFault,
  unclaimed: claims('factories'),
  healthy: ({ open }) => open(),
  async degraded({ subject, deadline }, cache) {
    const most = subject.factories!
    const count = most * 6
    const factory = counted(() => 'made', 30)
    const calls = times(count, (i) => cache.getOrSet(`${i}`, factory))
    const outcomes = await within(deadline + margin + 200, Promise.allSettled(calls), `${count} callers`)
    assert.ok(factory.most <= most, `${factory.most} factories ran at once, of ${most}`)
    const made = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    assert.ok(made.length >= most, `${made.length} of ${count} callers got a value`)
    assert.equal(factory.calls, made.length, 'factories, beside those who got a value')
  },
})

promise('serves a copy in its grace where the factory fails', {
  under: anyFault,
  unclaimed: claims('grace'),
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', { n: 1 }, { ttl: hour, grace: hour })
    await cache.get('a')
    return cache
  },
  async degraded(ground, cache) {
    for (let round = 0; round < 2; round++) {
      const given = await timely(ground, cache.getOrSet('a', failing, { grace: hour }), 'getOrSet')
      assert.deepEqual(given, { n: 1 })
    }
  },
})

promise('comes up during an outage, and shares what it stores after it', {
  under: anyFault,
  async healthy() {
    return { late: undefined as ConformantCache | undefined }
  },
  async degraded(ground, memo) {
    memo.late = await within(3_000 + margin, ground.open(), 'creating a cache during an outage')
    const made = memo.late.getOrSet('a', () => 'made')
    assert.equal(await timely(ground, made, 'getOrSet'), 'made')
    await callAll(ground, memo.late)
  },
  async recovered(ground, { late }) {
    const other = ground.subject.createPeer ? await ground.openPeer() : late!
    await ground.together(late!, other)
    assert.equal(await late!.getOrSet('b', () => 'made'), 'made')
    await eventually(async () => assert.equal(await other.get('b'), 'made'))
  },
})

promise('keeps what was stored before and not changed meanwhile', {
  under: anyFault,
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', 'kept')
    return cache
  },
  async degraded(ground, cache) {
    await timely(ground, cache.get('a'), 'get')
    await timely(
      ground,
      cache.getOrSet('a', () => 'kept'),
      'getOrSet',
    )
  },
  async recovered({ together }, cache) {
    await together(cache)
    await eventually(async () => assert.equal(await cache.get('a'), 'kept'))
  },
})

promise('settles every call, and in time, once it is closed', {
  under: anyFault,
  unclaimed: claims('close'),
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', 'there')
    return cache
  },
  async closed(ground, cache) {
    const called = Promise.allSettled(Object.values(calls(cache)).map(async (call) => call()))
    await within(ground.deadline, called, 'a call to a closed cache')
  },
})

async function callAll(ground: CacheGround, cache: ConformantCache): Promise<void> {
  await Promise.all(
    Object.entries(calls(cache)).map(async ([method, call]) => {
      await assert.doesNotReject(timely(ground, call(), method), `${method} should not fail`)
    }),
  )
}

/** Every way to ask a cache something. */
function calls(cache: ConformantCache): Record<string, () => Promise<unknown>> {
  return {
    get: () => cache.get('a'),
    'get of none': () => cache.get('none'),
    set: () => cache.set('set', { n: 1 }, { tags: ['tag'] }),
    delete: () => cache.delete('deleted'),
    getOrSet: () => cache.getOrSet('made', () => 'made', { tags: ['tag'] }),
    ...(cache.has && { has: () => cache.has!('a') }),
    ...(cache.getMany && { getMany: () => cache.getMany!(['a', 'none']) }),
    ...(cache.setMany && { setMany: () => cache.setMany!([{ key: 'many', value: 1 }]) }),
    ...(cache.deleteMany && { deleteMany: () => cache.deleteMany!(['a', 'none']) }),
    ...(cache.expire && { expire: () => cache.expire!('a') }),
    ...(cache.deleteByTag && { deleteByTag: () => cache.deleteByTag!('tag') }),
    ...(cache.clear && { clear: () => cache.clear!() }),
  }
}
