import assert from 'node:assert/strict'
import { createTheme, type Theme } from '../case.ts'
import { eventually, margin, pause, within } from '../expect.ts'
import { ask, type SessionStore, type StoredSession } from '../session-store.ts'
import { sessionOf, type StoreGround } from '../store-ground.ts'
import { claims, destroy, get, has, set, userOf } from './kit.ts'

/** What express-session expects of any store. */
export const contract: Theme<StoreGround> = createTheme('store contract')
const { always, promise } = contract

always('gives a session back with its cookie', async ({ store, sid }) => {
  const session = sessionOf('ada')
  const cookie: StoredSession['cookie'] = {
    ...session.cookie,
    secure: true,
    sameSite: 'lax',
    domain: 'example.org',
  }
  const stored = { ...session, cookie, nested: { list: [1, 'two', null] }, text: 'ä\n🗝' }
  await set(store, sid('a'), stored)
  const loaded = await get(store, sid('a'))
  assert.equal(userOf(loaded), 'ada')
  assert.deepEqual(loaded!['nested'], stored.nested)
  assert.equal(loaded!['text'], stored.text)
  assert.equal(new Date(String(loaded!.cookie.expires)).getTime(), (stored.cookie.expires as Date).getTime())
  for (const option of ['originalMaxAge', 'path', 'httpOnly', 'secure', 'sameSite', 'domain'] as const)
    assert.equal(loaded!.cookie[option], stored.cookie[option], `the cookie's ${option}`)
})

always('has no session and no error for an unknown id', async ({ store, sid }) => {
  assert.equal(userOf(await get(store, sid('none'))), 'no session')
  await destroy(store, sid('none'))
})

always('calls back exactly once, and never before it has returned', async ({ store, sid }) => {
  const session = sessionOf('ada')
  const methods: Record<string, (done: (error: unknown) => void) => unknown> = {
    set: (done) => store.set(sid('a'), session, done),
    get: (done) => store.get(sid('a'), done),
    'get of none': (done) => store.get(sid('none'), done),
    ...(store.touch && { touch: (done) => store.touch!(sid('a'), session, done) }),
    ...(store.all && { all: (done) => store.all!(done) }),
    ...(store.length && { length: (done) => store.length!(done) }),
    ...(store.ids && { ids: (done) => store.ids!(done) }),
    destroy: (done) => store.destroy(sid('a'), done),
  }
  for (const [method, call] of Object.entries(methods)) {
    const calls: string[] = []
    call(() => calls.push(method))
    assert.deepEqual(calls, [], `${method} called back before it returned`)
    await eventually(async () => assert.ok(calls.length > 0, `${method} never called back`), 2_000)
    await pause(20)
    assert.equal(calls.length, 1, `${method} called back ${calls.length} times`)
  }
})

always('can be told to store and to destroy without a callback', async ({ store, sid }) => {
  store.set(sid('a'), sessionOf('ada'))
  await eventually(async () => assert.equal(userOf(await get(store, sid('a'))), 'ada'))
  store.destroy(sid('a'))
  await eventually(async () => assert.equal(userOf(await get(store, sid('a'))), 'no session'))
})

always('replaces a session, and keeps it apart from others', async ({ store, sid }) => {
  await set(store, sid('a'), { ...sessionOf('ada'), basket: 1 })
  await set(store, sid('b'), sessionOf('grace'))
  const loaded = (await get(store, sid('a')))!
  delete loaded['basket']
  loaded['user'] = 'edith'
  await set(store, sid('a'), loaded)
  const again = await get(store, sid('a'))
  assert.deepEqual(
    [userOf(again), again!['basket'], userOf(await get(store, sid('b')))],
    ['edith', undefined, 'grace'],
  )
})

always('takes ids of any characters', async ({ store, sid }) => {
  const names = [
    'a b',
    'a*',
    'a?',
    '[a]',
    'a\\',
    "a'",
    'a"',
    'a:b',
    '{a}',
    'ä',
    '🗝',
    'a/b',
    '__proto__',
    '%00',
    'A',
    'a',
    `${'long '.repeat(40)}a`,
    `${'long '.repeat(40)}b`,
  ]
  for (const name of names) await set(store, sid(name), sessionOf(name))
  for (const name of names) assert.equal(userOf(await get(store, sid(name))), name)
})

const neighbours = ['b', 'ab', 'a:b', 'A']

always('destroys a session, and no other', async ({ store, sid }) => {
  await set(store, sid('a'), sessionOf('ada'))
  for (const name of neighbours) await set(store, sid(name), sessionOf(name))
  await destroy(store, sid('a'))
  assert.equal(userOf(await get(store, sid('a'))), 'no session')
  for (const name of neighbours) assert.equal(userOf(await get(store, sid(name))), name, 'a neighbour')
})

always('keeps a session of 100 kB', async ({ store, sid }) => {
  const text = `${'long '.repeat(20_000)}end`
  await set(store, sid('a'), { ...sessionOf('ada'), text })
  assert.ok((await get(store, sid('a')))?.['text'] === text, 'another text came back')
})

always('keeps what was stored when the caller changes its object afterwards', async ({ store, sid }) => {
  const session = sessionOf('ada')
  await set(store, sid('a'), session)
  session.user = 'changed'
  assert.equal(userOf(await get(store, sid('a'))), 'ada')
  const loaded = (await get(store, sid('a')))!
  loaded['user'] = 'changed'
  assert.equal(userOf(await get(store, sid('a'))), 'ada')
})

always('stores every one of many sessions at once', async ({ store, sid }) => {
  const names = Array.from({ length: 50 }, (_, i) => `many ${i}`)
  await Promise.all(names.map((name) => set(store, sid(name), sessionOf(name))))
  assert.deepEqual(await Promise.all(names.map(async (name) => userOf(await get(store, sid(name))))), names)
})

always('leaves one of many writes to a session whole', async ({ store, sid }) => {
  await set(store, sid('a'), sessionOf('nobody'))
  await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      set(store, sid('a'), { ...sessionOf(`user ${i}`), same: `user ${i}` }),
    ),
  )
  const loaded = (await get(store, sid('a')))!
  assert.match(String(loaded['user']), /^user \d$/)
  assert.equal(loaded['same'], loaded['user'])
})

always(
  'keeps a destroyed session destroyed when a request that had loaded it saves late',
  async ({ store, sid }) => {
    await set(store, sid('a'), sessionOf('ada'))
    const loaded = (await get(store, sid('a')))!
    await destroy(store, sid('a'))
    await set(store, sid('a'), loaded).catch(() => undefined)
    assert.equal(userOf(await get(store, sid('a'))), 'no session')
  },
)

always(
  'lists the sessions that there are',
  async ({ store, sid }) => {
    await set(store, sid('a'), sessionOf('listed a'))
    await set(store, sid('b'), sessionOf('listed b'))
    await destroy(store, sid('b'))
    const all = (await ask<StoredSession[] | Record<string, StoredSession>>((done) => store.all!(done)))!
    const users = Object.values(all).map(userOf)
    assert.ok(
      users.includes('listed a') && !users.includes('listed b'),
      'only what is there should be listed',
    )
  },
  has('all'),
)

always(
  'lists the ids that there are',
  async ({ store, sid }) => {
    await set(store, sid('a'), sessionOf('ada'))
    const ids = (await ask<string[]>((done) => store.ids!(done)))!
    assert.ok(ids.includes(sid('a')) && !ids.includes(sid('b')))
  },
  has('ids'),
)

promise('counts its sessions, and clears them', {
  unclaimed: has('length', 'clear'),
  async closed({ subject, fault }) {
    // After all the others, in a store of its own: to clear means to clear everything.
    if (fault !== 'cut') return
    const store = await subject.create()
    try {
      await clearAndCount(store)
    } finally {
      await subject.close?.(store)
    }
  },
})

promise('calls back in time once it is closed', {
  unclaimed: claims('close'),
  async healthy({ open, sid }) {
    const store = await open()
    await set(store, sid('a'), sessionOf('ada'))
    return store
  },
  async closed({ sid, deadline }, store) {
    const called = Promise.allSettled([
      get(store, sid('a')),
      set(store, sid('a'), sessionOf('ada')),
      destroy(store, sid('a')),
    ])
    await within(deadline + margin, called, 'a call to a closed store')
  },
})

async function clearAndCount(store: SessionStore): Promise<void> {
  const count = (): Promise<number | undefined> => ask<number>((done) => store.length!(done))
  await set(store, 'counted', sessionOf('nobody'))
  await ask<void>((done) => store.clear!(done))
  assert.equal(await count(), 0, 'the number of sessions once cleared')
  await set(store, 'counted a', sessionOf('ada'))
  await set(store, 'counted b', sessionOf('grace'))
  assert.equal(await count(), 2, 'the number of sessions')
  await ask<void>((done) => store.clear!(done))
  assert.equal(await count(), 0, 'the number of sessions once cleared again')
  assert.equal(userOf(await get(store, 'counted a')), 'no session')
}
