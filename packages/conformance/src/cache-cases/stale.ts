import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import type { ConformantCache } from '../conformant-cache.ts'
import { eventually, pause, steadily } from '../expect.ts'
import { all, anyFault, claims, failing, has, timely, times } from './kit.ts'

/** After an outage nothing is served that was changed in it. */
export const stale: Theme<CacheGround> = createTheme('nothing stale after an outage')
const { promise } = stale

/** For how long after the recovery each answer is looked at, in ms. */
const watched = 1_000
/**
 * Who had nothing to show in the outage has to wait for so long for what others decided in it, in ms. Who comes back later than
 * that cannot be waited for.
 */
const soon = 750

interface Fleet {
  readonly mine: ConformantCache
  /** Several, as it matters who is back first. */
  readonly theirs: readonly ConformantCache[]
  /** Whether another process answers from a copy while it cannot ask. */
  servesCopies: boolean
}

const keys = ['read', 'made'] as const

function neverOld(
  what: string,
  change: (cache: ConformantCache) => Promise<unknown>,
  ...methods: (keyof ConformantCache)[]
): void {
  promise(`never serves the old value where another process ${what} in the outage`, {
    under: anyFault,
    unclaimed: all(claims('createPeer'), has(...methods)),
    healthy: startFleet,
    async degraded(ground, fleet) {
      await timely(ground, change(fleet.mine), what)
      for (const key of keys)
        assert.notEqual(
          await timely(ground, fleet.mine.get(key), 'get'),
          'old',
          'the process that changed it',
        )
      for (const cache of fleet.theirs) {
        // Lets it find out, too.
        await timely(ground, Promise.all(times(8, (i) => cache.get(`none ${i}`))), 'get')
        fleet.servesCopies ||= (await timely(ground, cache.get('read'), 'get')) === 'old'
      }
    },
    async recovered(ground, fleet) {
      const began = performance.now()
      const back = ground.together(fleet.mine, ...fleet.theirs)
      const early = fleet.servesCopies ? undefined : await failureBefore(back, () => lookAt(fleet))
      await back
      if (early !== undefined && performance.now() - began < soon) throw early
      await steadily(() => lookAt(fleet), watched)
    },
  })
}

neverOld('deleted it', (cache) => Promise.all(keys.map((key) => cache.delete(key))))
neverOld('updated it', (cache) => Promise.all(keys.map((key) => cache.set(key, 'new'))))
neverOld('invalidated its tag', (cache) => cache.deleteByTag!('tag'), 'deleteByTag')
neverOld('cleared the cache', (cache) => cache.clear!(), 'clear')

promise('brings nothing back by a write that was given up and takes effect late', {
  under: anyFault,
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', 'old')
    return cache
  },
  async degraded(ground, cache) {
    await timely(ground, cache.set('a', 'late'), 'the write that is given up')
    await timely(
      ground,
      cache.getOrSet('b', () => 'late'),
      'the fill that is given up',
    )
    for (const key of ['a', 'b']) await timely(ground, cache.delete(key), 'the deletion after it')
  },
  async recovered(ground, cache) {
    const other = ground.subject.createPeer ? await ground.openPeer() : cache
    await ground.together(cache, other)
    await steadily(async () => {
      for (const reader of [cache, other])
        for (const key of ['a', 'b'])
          assert.equal(await reader.get(key), undefined, `what was deleted: ${key}`)
    }, 700)
  },
})

promise('lets what is stored after the outage stand, whatever was written in it', {
  under: anyFault,
  async healthy({ open }) {
    const cache = await open()
    await cache.set('a', 'old')
    return cache
  },
  degraded: async (ground, cache) => void (await timely(ground, cache.set('a', 'late'), 'the write')),
  async recovered(ground, cache) {
    const other = ground.subject.createPeer ? await ground.openPeer() : cache
    await ground.together(cache, other)
    await other.set('a', 'newest')
    await eventually(async () => assert.equal(await cache.get('a'), 'newest'))
    await steadily(async () => assert.equal(await cache.get('a'), 'newest'), 700)
  },
})

promise('serves no value whose factory began before a deletion in the outage', {
  under: anyFault,
  async healthy({ open }) {
    const cache = await open()
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const making = cache.getOrSet('a', async () => {
      begun.resolve()
      await gate.promise
      return 'old'
    })
    await begun.promise
    return { cache, gate, making }
  },
  async degraded(ground, { cache, gate, making }) {
    await timely(ground, cache.delete('a'), 'the deletion')
    gate.resolve()
    assert.equal(await timely(ground, making, 'the fill'), 'old')
    assert.notEqual(await timely(ground, cache.get('a'), 'get'), 'old')
  },
  async recovered(ground, { cache }) {
    const other = ground.subject.createPeer ? await ground.openPeer() : cache
    await ground.together(cache, other)
    await steadily(async () => {
      for (const reader of [cache, other]) assert.notEqual(await reader.get('a'), 'old')
    }, 700)
  },
})

/** Processes that all hold the old value, near at hand where they have such. */
async function startFleet({ open, openPeer }: CacheGround): Promise<Fleet> {
  const mine = await open()
  const theirs = await Promise.all(times(2, openPeer))
  for (const key of keys) {
    await mine.set(key, 'old', { tags: ['tag'] })
    for (const cache of [...theirs, ...theirs, mine]) assert.equal(await cache.get(key), 'old')
  }
  return { mine, theirs, servesCopies: false }
}

/** Tries again and again until something else is over; gives what went wrong first. */
async function failureBefore(end: Promise<void>, check: () => Promise<void>): Promise<unknown> {
  let isOver = false
  const over = (): void => void (isOver = true)
  end.then(over, over)
  while (!isOver) {
    try {
      await check()
    } catch (error) {
      return error
    }
    await pause(15)
  }
  return undefined
}

async function lookAt({ theirs }: Fleet): Promise<void> {
  await Promise.all(
    theirs.map(async (cache) => {
      assert.notEqual(await cache.get('read'), 'old', 'a read')
      const made = await cache.getOrSet('made', failing).catch(() => undefined)
      assert.notEqual(made, 'old', 'a value that could not be made')
    }),
  )
}
