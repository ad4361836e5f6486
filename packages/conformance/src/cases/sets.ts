import assert from 'node:assert/strict'
import type { ExpiringSets, Member } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'

/** Sets whose members expire one by one. */
export const sets: Theme<BackendGround> = createTheme('sets')
const { always } = sets

/** Far enough away for any clock that a subject goes by. */
const later = Date.UTC(2100, 0)
const all = { from: 0, limit: 10_000 }

always(
  'gives members with their times, those that expire first before the others, from a time on, up to a number',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    await own.add(key('set'), [
      ['c', later + 3_000],
      ['a', later + 1_000],
      ['b', later + 2_000],
    ])
    const [a, b, c]: Member[] = [
      ['a', later + 1_000],
      ['b', later + 2_000],
      ['c', later + 3_000],
    ]
    assert.deepEqual(await own.members(key('set'), all), [a, b, c])
    assert.deepEqual(await own.members(key('set'), { from: later + 2_000, limit: 9 }), [b, c])
    assert.deepEqual(await own.members(key('set'), { from: 0, limit: 2 }), [a, b])
  },
  needs('sets'),
)

always(
  'lets the later of two times count for a member',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    await own.add(key('set'), [['a', later + 1_000]])
    await own.add(key('set'), [['a', later + 3_000]])
    await own.add(key('set'), [['a', later + 2_000]])
    assert.deepEqual(await own.members(key('set'), all), [['a', later + 3_000]])
  },
  needs('sets'),
)

always(
  'has no members whose time is over',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    await own.add(key('set'), [
      ['over', 1_000],
      ['stays', later],
    ])
    const alive = (await own.members(key('set'), { from: 2_000, limit: 10 })).map(([member]) => member)
    assert.deepEqual(alive, ['stays'])
  },
  needs('sets'),
)

always(
  'removes members, and takes what is not there for removed',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    await own.add(key('set'), [
      ['a', later],
      ['b', later],
    ])
    await own.remove(key('set'), ['a', 'never there'])
    await own.remove(key('nowhere'), ['a'])
    await own.remove(key('set'), [])
    assert.deepEqual(await own.members(key('set'), all), [['b', later]])
    assert.deepEqual(await own.members(key('nowhere'), all), [])
  },
  needs('sets'),
)

always(
  'keeps sets apart from each other',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    await own.add(key('one'), [['a', later]])
    await own.add(key('other'), [['b', later]])
    assert.deepEqual(await own.members(key('one'), all), [['a', later]])
    assert.deepEqual(await own.members(key('other'), all), [['b', later]])
  },
  needs('sets'),
)

always(
  'removes a key where it adds a member, and tells those who listen',
  async ({ backend, key }) => {
    const heard: string[] = []
    const listener = await backend.subscribe(key('channel'), (message) =>
      heard.push(Buffer.from(message).toString()),
    )
    await backend.set(key('record'), bytes('value'))
    await setsOf(backend).add(key('set'), [['a', later]], {
      delete: key('record'),
      publish: { channel: key('channel'), message: bytes('a is over') },
    })
    assert.equal(await backend.get(key('record')), undefined)
    await eventually(async () => assert.deepEqual(heard, ['a is over']))
    await listener.close()
  },
  needs('sets'),
)

always(
  'lets one client see the members that another has added',
  async ({ backend, other, key }) => {
    await setsOf(backend).add(key('set'), [['a', later]])
    assert.deepEqual(await setsOf(other).members(key('set'), all), [['a', later]])
  },
  (ground) => needs('sets')(ground) ?? needs('shared')(ground),
)

always(
  'gives three thousand members, page by page',
  async ({ backend, key }) => {
    const own = setsOf(backend)
    const members = Array.from({ length: 3_000 }, (_, i): Member => [`member-${i}`, later + i])
    for (let start = 0; start < members.length; start += 500)
      await own.add(key('set'), members.slice(start, start + 500))
    const found = new Map<string, number>()
    for (let from = 0; ;) {
      const page = await own.members(key('set'), { from, limit: 1_000 })
      for (const [member, at] of page) found.set(member, at)
      if (page.length < 1_000) break
      from = page.at(-1)![1]
    }
    assert.deepEqual([...found], members)
  },
  needs('sets'),
)

function setsOf({ sets: own }: { readonly sets?: ExpiringSets }): ExpiringSets {
  assert.ok(own)
  return own
}
