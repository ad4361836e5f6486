import assert from 'node:assert/strict'
import { createTheme, type Theme } from '../case.ts'
import { eventually, steadily, within } from '../expect.ts'
import type { SessionStore } from '../session-store.ts'
import { sessionOf, type StoreGround } from '../store-ground.ts'
import type { FaultName } from '../subject.ts'
import { claims, destroy, get, set, touch, userOf } from './kit.ts'

/** No request fails or waits because the store's other side is away. */
export const storeOutage: Theme<StoreGround> = createTheme('outages')
const { promise } = storeOutage
const anyFault: readonly FaultName[] = ['cut', 'hang', 'slow']

promise('calls back in time, and without an error, during an outage', {
  under: anyFault,
  healthy: withSession,
  async degraded(ground, store) {
    for (let round = 0; round < 2; round++) {
      await timely(ground, get(store, ground.sid('a')), 'get')
      await timely(ground, set(store, ground.sid('new'), sessionOf('grace')), 'set')
      if (store.touch) await timely(ground, touch(store, ground.sid('a'), sessionOf('ada')), 'touch')
      await timely(ground, destroy(store, ground.sid('other')), 'destroy')
    }
  },
})

promise('goes on with a session that was seen, its writes included', {
  under: anyFault,
  healthy: withSession,
  async degraded(ground, store) {
    const { sid } = ground
    const loaded = (await timely(ground, get(store, sid('a')), 'get'))!
    assert.equal(userOf(loaded), 'ada')
    await timely(ground, set(store, sid('a'), { ...loaded, user: 'grace' }), 'set')
    assert.equal(userOf(await timely(ground, get(store, sid('a')), 'get')), 'grace')
  },
  async recovered(ground) {
    const fresh = await ground.open()
    await eventually(async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'grace'))
    await steadily(async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'grace'))
  },
})

promise('keeps what was saved over an unseen session beside what it held', {
  under: anyFault,
  unclaimed: claims('shared'),
  async healthy(ground) {
    const [mine, theirs] = [await ground.open(), await ground.open()]
    await set(theirs, ground.sid('a'), { ...sessionOf('ada'), basket: 1 })
    await get(mine, ground.sid('none'))
    return mine
  },
  async degraded(ground, mine) {
    const shown = await timely(ground, get(mine, ground.sid('a')), 'get of an unseen session')
    if (!shown) return
    assert.equal(userOf(shown), undefined, 'nobody can know the session')
    shown.cookie = sessionOf('').cookie
    shown['basket'] = 2
    await timely(ground, set(mine, ground.sid('a'), shown), 'set')
  },
  async recovered(ground) {
    const fresh = await ground.open()
    await eventually(async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'ada'))
    await steadily(
      async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'ada', 'the session was replaced'),
      900,
    )
  },
})

promise('keeps a session destroyed that was destroyed in the outage, whatever comes late', {
  under: anyFault,
  healthy: withSession,
  async degraded(ground, store) {
    const { sid } = ground
    const loaded = (await timely(ground, get(store, sid('a')), 'get'))!
    await timely(ground, set(store, sid('a'), loaded), 'the save that is given up')
    await timely(ground, destroy(store, sid('a')), 'destroy')
    assert.equal(userOf(await timely(ground, get(store, sid('a')), 'get')), 'no session')
    await timely(ground, set(store, sid('a'), loaded), 'a late save')
    assert.equal(
      userOf(await timely(ground, get(store, sid('a')), 'get')),
      'no session',
      'a late save brought it back',
    )
  },
  async recovered(ground) {
    const fresh = await ground.open()
    await eventually(async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'no session'))
    await steadily(async () => assert.equal(userOf(await get(fresh, ground.sid('a'))), 'no session'), 900)
  },
})

async function withSession({ open, sid }: StoreGround): Promise<SessionStore> {
  const store = await open()
  await set(store, sid('a'), sessionOf('ada'))
  assert.equal(userOf(await get(store, sid('a'))), 'ada')
  return store
}

function timely<T>({ deadline }: StoreGround, call: Promise<T>, what: string): Promise<T> {
  return within(deadline, call, what)
}
