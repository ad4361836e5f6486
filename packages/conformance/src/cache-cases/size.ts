import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import { none } from '../expect.ts'
import { has, times } from './kit.ts'

/** Large values, long keys and many entries make no difference. */
export const size: Theme<CacheGround> = createTheme('size')
const { always, promise } = size

const many = 1_100

promise('keeps an object of 1 MB', {
  async healthy({ cache, key }) {
    const text = `${'long '.repeat(200_000)}end`
    await cache.set(key('large'), { text })
    const found = (await cache.get(key('large'))) as { text?: unknown } | undefined
    assert.ok(found?.text === text, 'another object came back')
  },
})

always('takes keys of 1 kB, and tells them apart by their last letter', async ({ cache, key }) => {
  const long = key('').padEnd(1_023, 'long ')
  const names = ['a', 'b', ''].map((last) => long + last)
  for (const [i, name] of names.entries()) await cache.set(name, i)
  for (const [i, name] of names.entries()) assert.equal(await cache.get(name), i)
  await cache.delete(names[0]!)
  assert.deepEqual(await Promise.all(names.map((name) => cache.get(name))), [undefined, 1, 2])
})

promise('voids eleven hundred entries with a tag', {
  async healthy({ cache, key }) {
    const names = times(many, (i) => key(`${i}`))
    await inBatches(names, (name) => cache.set(name, 1, { tags: [key('tag')] }))
    await cache.deleteByTag!(key('tag'))
    await inBatches(names, async (name) => none(await cache.get(name), 'an entry with the tag'))
  },
  unclaimed: has('deleteByTag'),
})

promise('clears eleven hundred entries', {
  async healthy({ open }) {
    const cache = await open('-many')
    const names = times(many, String)
    await inBatches(names, (name) => cache.set(name, 1))
    await cache.clear!()
    await inBatches(names, async (name) => none(await cache.get(name), 'an entry that was cleared'))
  },
  unclaimed: has('clear'),
})

/** A few at a time: all at once would look like an outage. */
async function inBatches(names: readonly string[], call: (name: string) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < names.length; start += 50)
    await Promise.all(names.slice(start, start + 50).map(call))
}
