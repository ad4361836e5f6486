import assert from 'node:assert/strict'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, none, same } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'

/** What is stored is what is given back. */
export const values: Theme<BackendGround> = createTheme('values')
const { always, promise } = values

/** What Holdfast takes where it is not told otherwise. */
const largest = 8 * 1024 ** 2
/** The longest key that a backend has to take, in bytes. */
const longestKey = 1_024

always('gives back the very bytes that were stored, whatever they are', async ({ backend, key }) => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  assert.deepEqual(await backend.set(key('all'), all), { written: true })
  same(await backend.get(key('all')), all)
  const [found] = await backend.getMany([key('all')])
  same(found, all, 'the entry among many')
})

always('tells an empty value from no value', async ({ backend, key }) => {
  await backend.set(key('empty'), bytes(''))
  same(await backend.get(key('empty')), '')
  assert.deepEqual(
    (await backend.getMany([key('empty'), key('none')])).map((value) => value?.length),
    [0, undefined],
  )
  assert.equal(await backend.delete(key('empty')), true, 'an empty value was there to be deleted')
})

always('stores a value of 1 MB', async ({ backend, key }) => {
  const large = Buffer.alloc(1024 ** 2, 'holdfast!')
  await backend.set(key('large'), large)
  same(await backend.get(key('large')), large)
})

promise('stores a value of 8 MB, or as large as the subject says', {
  async healthy({ backend, key, subject }) {
    const large = Buffer.alloc(subject.limits?.value ?? largest, 'holdfast!')
    large[large.length - 1] = 0
    await backend.set(key('large'), large)
    same(await backend.get(key('large')), large)
    await backend.delete(key('large'))
  },
})

always('answers undefined for what is not there', async ({ backend, key }) => {
  none(await backend.get(key('none')))
  assert.deepEqual(await backend.getMany([key('none'), key('none either')]), [undefined, undefined])
})

always('replaces what a key held', async ({ backend, key }) => {
  await backend.set(key('a'), bytes('the first and longer one'))
  assert.deepEqual(await backend.set(key('a'), bytes('second')), { written: true })
  same(await backend.get(key('a')), 'second')
})

promise('applies each write and each deletion once: what came after it stands', {
  async healthy({ backend, key, wait }) {
    // One that is applied again is seen until the next is, so each is looked at for a while.
    for (let step = 0; step < 16; step++) {
      const isDeletion = step % 4 === 3
      if (isDeletion) await backend.delete(key('a'))
      else await backend.set(key('a'), bytes(`step ${step}`))
      await wait(15)
      const found = await backend.get(key('a'))
      if (isDeletion) none(found)
      else same(found, `step ${step}`)
    }
  },
})

always('deletes, and tells whether there was something to delete', async ({ backend, key }) => {
  assert.equal(await backend.delete(key('a')), false, 'nothing was there yet')
  await backend.set(key('a'), bytes('1'))
  await backend.set(key('b'), bytes('2'))
  assert.equal(await backend.delete(key('a')), true, 'it was there')
  none(await backend.get(key('a')))
  assert.equal(await backend.delete(key('a')), false, 'it was gone')
  same(await backend.get(key('b')), '2', 'the neighbour')
})

always('tells one of many that delete a key at once that it was there', async ({ backend, other, key }) => {
  await backend.set(key('a'), bytes('1'))
  const told = await Promise.all(
    Array.from({ length: 20 }, (_, i) => [backend, other][i % 2]!.delete(key('a'))),
  )
  assert.equal(told.filter(Boolean).length, 1, 'how many were told that they deleted it')
})

always('takes keys of any characters, and tells them apart', async ({ backend, key }) => {
  const names = [
    '',
    ' ',
    'a b',
    'a\nb',
    'a\r\nb',
    'a\0b',
    '{a}b',
    'a*',
    'a?',
    '[a]',
    'a\\',
    'a\'b"',
    'ä',
    'a\u0308',
    '鍵',
    '🗝',
    'A',
    'a',
    'a:',
    '%61',
    'x'.repeat(512),
  ]
  const keys = names.map((name) => key(`any${name}`))
  await Promise.all(keys.map((each, i) => backend.set(each, bytes(String(i)))))
  const found = await backend.getMany(keys)
  for (const [i, name] of names.entries()) {
    same(found[i], String(i), `the entry among many under ${JSON.stringify(name)}`)
    same(await backend.get(keys[i]!), String(i), `the entry under ${JSON.stringify(name)}`)
  }
})

always('takes keys of 1 kB, and tells them apart by their last letter', async ({ backend, key }) => {
  const long = key('').padEnd(longestKey - 1, 'long ')
  const keys = ['a', 'b', ''].map((last) => long + last)
  await Promise.all(keys.map((each, i) => backend.set(each, bytes(String(i)))))
  const found = await backend.getMany(keys)
  for (const [i, each] of keys.entries()) {
    same(found[i], String(i), `entry ${i} among many`)
    same(await backend.get(each), String(i), `entry ${i}`)
  }
  assert.equal(await backend.delete(keys[0]!), true)
  same(await backend.get(keys[1]!), '1', 'the neighbour of one that was deleted')
})

always('gives many entries in the order of the keys, repeated ones repeatedly', async ({ backend, key }) => {
  await Promise.all(['a', 'b', 'c'].map((name) => backend.set(key(name), bytes(name))))
  const asked = ['c', 'none', 'a', 'c', 'b', 'none', 'a']
  const found = await backend.getMany(asked.map(key))
  assert.deepEqual(
    found.map((value) => value && Buffer.from(value).toString()),
    asked.map((name) => (name === 'none' ? undefined : name)),
  )
})

promise('gives nothing for no keys, and a thousand for a thousand', {
  async healthy({ backend, key }) {
    assert.deepEqual(await backend.getMany([]), [])
    const keys = Array.from({ length: 1_000 }, (_, i) => key(`many ${i}`))
    await Promise.all(keys.map((each, i) => backend.set(each, bytes(String(i)))))
    const found = await backend.getMany(keys)
    assert.equal(found.length, keys.length)
    for (const [i, value] of found.entries()) same(value, String(i), `entry ${i}`)
  },
})

always('keeps what was stored when the caller changes its buffer afterwards', async ({ backend, key }) => {
  const mine = Buffer.from('as it was')
  await backend.set(key('a'), mine)
  mine.fill('x')
  same(await backend.get(key('a')), 'as it was')

  const view = Buffer.from('-inner-').subarray(1, 6)
  await backend.set(key('view'), view)
  same(await backend.get(key('view')), 'inner', 'the view of a larger buffer')
})

always('keeps what was stored when the reader changes what it got', async ({ backend, key }) => {
  await backend.set(key('a'), bytes('as it was'))
  const first = await backend.get(key('a'))
  first?.fill(120)
  same(await backend.get(key('a')), 'as it was')
  const [listed] = await backend.getMany([key('a')])
  listed?.fill(120)
  same(await backend.get(key('a')), 'as it was')
})

always('answers each of many calls at once with what was asked for', async ({ backend, key }) => {
  const names = Array.from({ length: 200 }, (_, i) => `at once ${i}`)
  await Promise.all(names.map((name) => backend.set(key(name), bytes(name))))
  await Promise.all(names.map(async (name) => same(await backend.get(key(name)), name)))
})

always(
  'answers a bound read like any other',
  async ({ backend, key }) => {
    await backend.set(key('a'), bytes('bound'))
    same(await backend.getBound?.(key('a')), 'bound')
    none(await backend.getBound?.(key('none')))
  },
  needs('getBound'),
)

always(
  'shows to one client what another has stored, and deleted',
  async ({ backend, other, key }) => {
    await backend.set(key('a'), bytes('1'))
    await eventually(async () => same(await other.get(key('a')), '1'), 500)
    assert.equal(await other.delete(key('a')), true)
    await eventually(async () => none(await backend.get(key('a'))), 500)
  },
  needs('shared'),
)
