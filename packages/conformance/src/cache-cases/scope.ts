import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import { none } from '../expect.ts'
import { all, claims, counted, failing, failsWithFactory, has } from './kit.ts'

/** Many entries are invalidated at once, and no others. */
export const scope: Theme<CacheGround> = createTheme('tags and clear')
const { always } = scope

const hour = 3_600_000

always(
  'voids all entries with a tag, and no others',
  async ({ cache, key }) => {
    const [red, blue] = [key('red'), key('blue')]
    const entries: [name: string, tags: string[]][] = [
      ['r', [red]],
      ['b', [blue]],
      ['rb', [blue, red]],
      ['none', []],
      ['R', [key('Red')]],
      ['reddish', [key('reddish')]],
      ['no more', []],
    ]
    // The tags of the last write count.
    await cache.set(key('no more'), 'old', { tags: [red] })
    for (const [name, tags] of entries) await cache.set(key(name), name, { tags })
    await cache.getOrSet(key('made'), () => 'made', { tags: [red] })
    for (const [name] of [...entries, ['made'] as const]) assert.equal(await cache.get(key(name)), name)
    await cache.deleteByTag!(red)
    for (const name of ['r', 'rb', 'made']) none(await cache.get(key(name)), `${name}, which has the tag`)
    for (const name of ['b', 'none', 'R', 'reddish', 'no more'])
      assert.equal(await cache.get(key(name)), name)
    if (cache.getMany)
      assert.deepEqual(await cache.getMany(['r', 'b'].map((name) => key(name))), [undefined, 'b'])
  },
  has('deleteByTag'),
)

always(
  'makes and keeps what is stored under a tag after it was voided',
  async ({ cache, key }) => {
    const tags = [key('tag')]
    for (let round = 0; round < 3; round++) {
      await cache.set(key('a'), `a ${round}`, { tags })
      const factory = counted(() => `b ${round}`)
      assert.equal(await cache.getOrSet(key('b'), factory, { tags }), `b ${round}`)
      assert.equal(factory.calls, 1, 'factories')
      assert.deepEqual([await cache.get(key('a')), await cache.get(key('b'))], [`a ${round}`, `b ${round}`])
      await cache.deleteByTag!(tags[0]!)
    }
    none(await cache.get(key('a')))
  },
  has('deleteByTag'),
)

always(
  'has no grace for an entry whose tag was voided',
  async ({ cache, key }) => {
    const policy = { ttl: hour, grace: hour, tags: [key('tag')] }
    await cache.set(key('a'), 'old', policy)
    await cache.deleteByTag!(key('tag'))
    await failsWithFactory(cache.getOrSet(key('a'), failing, policy), 'getOrSet')
  },
  all(has('deleteByTag'), claims('grace')),
)

always(
  'clears all of its own entries, and none of a neighbour whose name begins alike',
  async ({ open }) => {
    const [cache, neighbour] = [await open(), await open('-beside')]
    const names = Array.from({ length: 30 }, (_, i) => `${i}`)
    for (const name of names) {
      await cache.set(name, 'mine', { tags: ['tag'] })
      await neighbour.set(name, 'theirs', { tags: ['tag'] })
    }
    for (const name of names) assert.equal(await cache.get(name), 'mine')
    await cache.clear!()
    for (const name of names) none(await cache.get(name), 'an entry that was cleared')
    for (const name of names) assert.equal(await neighbour.get(name), 'theirs')
    await cache.set('1', 'again')
    assert.equal(await cache.get('1'), 'again', 'what was stored once it was cleared')
  },
  has('clear'),
)

always(
  'voids the tag of a neighbour no more than its keys',
  async ({ open }) => {
    const [cache, neighbour] = [await open(), await open('-beside')]
    await cache.set('a', 'mine', { tags: ['tag'] })
    await neighbour.set('a', 'theirs', { tags: ['tag'] })
    await cache.deleteByTag!('tag')
    none(await cache.get('a'))
    assert.equal(await neighbour.get('a'), 'theirs')
  },
  has('deleteByTag'),
)
