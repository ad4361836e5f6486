import assert from 'node:assert/strict'
import { createTheme, type Theme } from '../case.ts'
import { eventually } from '../expect.ts'
import { ask, type StoredSession } from '../session-store.ts'
import { sessionOf, type StoreGround } from '../store-ground.ts'
import { get, has, set, touch, userOf } from './kit.ts'

/** A session lives as long as its cookie. */
export const lifetime: Theme<StoreGround> = createTheme('lifetime')
const { always } = lifetime

/** Stores that count in whole seconds may keep a session up to one more. */
const second = 1_000

always('forgets a session when its cookie expires, in every way of asking', async ({ store, sid, wait }) => {
  await set(store, sid('a'), sessionOf('ada', 200))
  await set(store, sid('b'), sessionOf('grace'))
  await set(store, sid('listed'), sessionOf('listed until it is over', 200))
  await wait(200)
  await wait(second)
  // First: to ask for it may be what removes it.
  if (store.ids) {
    const ids = (await ask<string[]>((done) => store.ids!(done)))!
    assert.ok(!ids.includes(sid('listed')), 'its id is listed')
  }
  if (store.all) {
    const all = (await ask<StoredSession[] | Record<string, StoredSession>>((done) => store.all!(done)))!
    assert.ok(!Object.values(all).map(userOf).includes('listed until it is over'), 'it is listed')
  }
  await eventually(async () => assert.equal(userOf(await get(store, sid('a'))), 'no session'), 500)
  assert.equal(userOf(await get(store, sid('b'))), 'grace', 'the session within its time')
})

always('takes the time of the last cookie', async ({ store, sid, wait }) => {
  await set(store, sid('longer'), sessionOf('ada', second))
  await set(store, sid('longer'), sessionOf('ada'))
  await set(store, sid('shorter'), sessionOf('grace'))
  await set(store, sid('shorter'), sessionOf('grace', 200))
  await wait(2 * second + 100)
  assert.equal(userOf(await get(store, sid('longer'))), 'ada')
  assert.equal(userOf(await get(store, sid('shorter'))), 'no session')
})

always('keeps a session whose cookie lasts 25 or 30 days', async ({ store, sid, wait }) => {
  for (const days of [25, 30]) await set(store, sid(`${days}`), sessionOf('ada', days * 86_400_000))
  await wait(200)
  for (const days of [25, 30]) assert.equal(userOf(await get(store, sid(`${days}`))), 'ada', `${days} days`)
})

always('keeps a session whose cookie lasts as long as the browser', async ({ store, sid, wait }) => {
  await set(store, sid('a'), { cookie: { originalMaxAge: null, expires: null, path: '/' }, user: 'ada' })
  await wait(300)
  assert.equal(userOf(await get(store, sid('a'))), 'ada')
})

always('has nothing of a session that was over when it was stored', async ({ store, sid }) => {
  await set(store, sid('a'), sessionOf('ada'))
  await set(store, sid('a'), sessionOf('ada', -5_000))
  await eventually(async () => assert.equal(userOf(await get(store, sid('a'))), 'no session'), 500)
})

always(
  'extends a session that is touched',
  async ({ store, sid, wait }) => {
    await set(store, sid('a'), sessionOf('ada', 1_200))
    await touch(store, sid('a'), sessionOf('ada'))
    await wait(1_200)
    await wait(second)
    assert.equal(userOf(await get(store, sid('a'))), 'ada')
  },
  has('touch'),
)

always(
  'neither fails nor creates a session when an unknown one is touched',
  async ({ store, sid }) => {
    await touch(store, sid('none'), sessionOf('ada'))
    assert.equal(userOf(await get(store, sid('none'))), 'no session')
  },
  has('touch'),
)

always(
  'keeps the data of a session that is touched',
  async ({ store, sid }) => {
    await set(store, sid('a'), sessionOf('ada'))
    await touch(store, sid('a'), sessionOf('somebody else'))
    assert.equal(userOf(await get(store, sid('a'))), 'ada')
  },
  has('touch'),
)
