import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import type { ConformantCache } from '../conformant-cache.ts'
import { eventually, none, steadily, within } from '../expect.ts'
import { all, claims, has } from './kit.ts'

/** What one process changes, the others see. */
export const fleet: Theme<CacheGround> = createTheme('several processes')
const { always } = fleet
const inFleet = claims('createPeer')

interface Place {
  readonly key: string
  readonly tag: string
}
type Change = (cache: ConformantCache, place: Place) => Promise<unknown>

/** The ways to make an entry not count any more. */
const changes: [what: string, change: Change, needs: (keyof ConformantCache)[]][] = [
  ['an update', (cache, { key }) => cache.set(key, 'new'), []],
  ['a deletion', (cache, { key }) => cache.delete(key), []],
  ['an invalidated tag', (cache, { tag }) => cache.deleteByTag!(tag), ['deleteByTag']],
  ['a clear', (cache) => cache.clear!(), ['clear']],
]

/** How soon a change in one process is seen in another, in ms. */
const soon = 1_000

for (const [what, change, methods] of changes) {
  always(
    `shows ${what} by one process to another that has read the old value`,
    async (ground) => {
      const [mine, theirs] = await placesOf(ground, what)
      const place = { key: ground.key('a'), tag: ground.key('tag') }
      for (let round = 0; round < 5; round++) {
        await mine.set(place.key, 'old', { tags: [place.tag] })
        await eventually(async () => assert.equal(await theirs.get(place.key), 'old'))
        assert.equal(await theirs.getOrSet(place.key, () => 'made'), 'old')
        await change(mine, place)
        assert.notEqual(await mine.get(place.key), 'old', 'the process that made the change')
        await eventually(
          async () => assert.notEqual(await theirs.get(place.key), 'old', 'the other process'),
          soon,
        )
      }
      const notOld = async (): Promise<void> =>
        assert.notEqual(await theirs.get(place.key), 'old', 'later on')
      await steadily(notOld, 200)
    },
    all(inFleet, has(...methods)),
  )
}

for (const [what, change, methods] of changes) {
  always(
    `serves no value whose factory began before ${what}, by this process or another`,
    async (ground) => {
      const [mine, theirs] = await placesOf(ground, what)
      for (const [by, cache] of [mine, theirs].entries()) {
        const place = { key: ground.key(`${by}`), tag: ground.key(`tag ${by}`) }
        const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        const making = mine.getOrSet(
          place.key,
          async () => {
            begun.resolve()
            await gate.promise
            return 'old'
          },
          { tags: [place.tag] },
        )
        await begun.promise
        await change(cache, place)
        gate.resolve()
        await making
        await steadily(async () => {
          for (const reader of [mine, theirs])
            assert.notEqual(
              await reader.get(place.key),
              'old',
              `after ${what} by ${by ? 'another' : 'itself'}`,
            )
        }, 150)
        // Nor is anybody held up by what does not count.
        const next = within(
          3_000,
          theirs.getOrSet(place.key, () => 'new'),
          'the next factory',
        )
        assert.equal(await next, 'new')
      }
    },
    has(...methods),
  )
}

always(
  'shows what one process stores to another that has found nothing',
  async ({ cache, peer, key }) => {
    none(await peer.get(key('a')))
    await cache.set(key('a'), 'new')
    await eventually(async () => assert.equal(await peer.get(key('a')), 'new'), soon)
    none(await peer.get(key('b')))
    await cache.getOrSet(key('b'), () => 'made')
    await eventually(async () => assert.equal(await peer.get(key('b')), 'made'), soon)
  },
  inFleet,
)

/** Two processes of the fleet; in a space of their own where all of it is cleared. */
async function placesOf(ground: CacheGround, what: string): Promise<[ConformantCache, ConformantCache]> {
  if (what !== 'a clear') return [ground.cache, ground.peer]
  const mine = await ground.open()
  return [mine, ground.subject.createPeer ? await ground.openPeer() : mine]
}
