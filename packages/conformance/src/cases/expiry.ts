import assert from 'node:assert/strict'
import { createTheme, type Theme } from '../case.ts'
import { bytes, none, same } from '../expect.ts'
import type { BackendGround } from '../ground.ts'

/** Entries live as long as they were meant to. */
export const expiry: Theme<BackendGround> = createTheme('expiry')
const { always } = expiry

const short = 80
/** Long enough to still be there after a busy moment. */
const longer = 1_500
const day = 86_400_000
const year = 365 * day

always('forgets an entry when its ttl is over, in every way of asking', async ({ backend, key, wait }) => {
  // A key for each way: the first to ask may be the one who removes it.
  const ways = ['got', 'among many', 'touched', 'deleted', 'listed']
  await Promise.all(ways.map((name) => backend.set(key(name), bytes('1'), { ttl: short })))
  await backend.set(key('stays'), bytes('2'), { ttl: year })
  await wait(short + 100)
  for await (const keys of backend.scan(key('listed'))) assert.deepEqual(keys, [], 'a scan must not list it')
  none(await backend.get(key('got')))
  none((await backend.getMany([key('among many')]))[0], 'the entry among many')
  assert.equal(await backend.touch(key('touched'), longer), false, 'there is nothing to touch')
  none(await backend.get(key('touched')), 'the entry that was touched too late')
  assert.equal(await backend.delete(key('deleted')), false, 'there is nothing to delete')
  same(await backend.get(key('stays')), '2', 'the neighbour within its ttl')
})

always(
  'keeps an entry without a ttl, even where it replaces one that had one',
  async ({ backend, key, wait }) => {
    await backend.set(key('a'), bytes('1'), { ttl: longer })
    await backend.set(key('a'), bytes('2'))
    await wait(longer + 100)
    same(await backend.get(key('a')), '2')
  },
)

always('takes the ttl of the last write', async ({ backend, key, wait }) => {
  await backend.set(key('shorter'), bytes('1'), { ttl: year })
  await backend.set(key('shorter'), bytes('2'), { ttl: short })
  await backend.set(key('longer'), bytes('1'), { ttl: longer })
  await backend.set(key('longer'), bytes('2'), { ttl: year })
  await wait(longer + 100)
  none(await backend.get(key('shorter')))
  same(await backend.get(key('longer')), '2')
})

always('counts a touched ttl from now, whether longer or shorter', async ({ backend, key, wait }) => {
  await backend.set(key('extended'), bytes('1'), { ttl: longer })
  await backend.set(key('shortened'), bytes('2'), { ttl: year })
  await backend.set(key('limited'), bytes('3'))
  assert.equal(await backend.touch(key('extended'), year), true)
  assert.equal(await backend.touch(key('shortened'), short), true)
  assert.equal(await backend.touch(key('limited'), short), true)
  await wait(longer + 100)
  same(await backend.get(key('extended')), '1', 'the extended entry')
  none(await backend.get(key('shortened')), 'the shortened entry')
  none(await backend.get(key('limited')), 'the entry that had no ttl')
})

always('never creates an entry by touching it', async ({ backend, key }) => {
  assert.equal(await backend.touch(key('none'), longer), false)
  none(await backend.get(key('none')))
})

always(
  'keeps an entry with a ttl of 25, 30 or 50 days or a hundred years, and takes one of a fraction',
  async ({ backend, key, wait }) => {
    // The third is next to nothing where 32 bits of it are kept, the last is not.
    const ttls = [25 * day, 30 * day, 2 ** 32 + short, 100 * year]
    for (const ttl of ttls) {
      await backend.set(key(`kept ${ttl}`), bytes('1'), { ttl })
      await backend.set(key(`touched ${ttl}`), bytes('2'), { ttl: longer })
      await backend.touch(key(`touched ${ttl}`), ttl)
    }
    assert.deepEqual(await backend.set(key('moment'), bytes('3'), { ttl: 0.4 }), { written: true })
    await wait(longer + 100)
    for (const ttl of ttls) {
      same(await backend.get(key(`kept ${ttl}`)), '1', `the entry with a ttl of ${ttl} ms`)
      same(await backend.get(key(`touched ${ttl}`)), '2', `the entry with a touched ttl of ${ttl} ms`)
    }
    none(await backend.get(key('moment')), 'the entry of a moment')
  },
)

always('lets nothing that has expired stand in the way of a condition', async ({ backend, key, wait }) => {
  await backend.set(key('a'), bytes('old'), { ttl: short })
  await wait(short + 100)
  assert.deepEqual(await backend.set(key('a'), bytes('new'), { ifAbsent: true }), { written: true })
  same(await backend.get(key('a')), 'new')
})
