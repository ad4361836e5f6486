import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import { none } from '../expect.ts'
import { all, claims, counted, failing, failsWithFactory, has } from './kit.ts'

/** An entry is fresh for its ttl, and of use for its grace. */
export const lifetime: Theme<CacheGround> = createTheme('lifetime')
const { always } = lifetime

const short = 150
const hour = 3_600_000
const day = 24 * hour

always('forgets an entry when its ttl is over, in every way of asking', async ({ cache, key, wait }) => {
  // An entry for each way: the first to ask may be the one who removes it.
  const factory = counted(() => 'new')
  const ways: [name: string, ask: (key: string) => Promise<unknown>, answer: unknown][] = [
    ['get', (name) => cache.get(name), undefined],
    ['getOrSet', (name) => cache.getOrSet(name, factory, { ttl: hour }), 'new'],
  ]
  if (cache.has) ways.push(['has', (name) => cache.has!(name), false])
  if (cache.getMany) ways.push(['getMany', (name) => cache.getMany!([name]), [undefined]])
  for (const [way] of ways) {
    await cache.set(key(`set ${way}`), 'old', { ttl: short })
    await cache.getOrSet(key(`made ${way}`), () => 'old', { ttl: short })
  }
  await cache.set(key('long'), 'kept', { ttl: hour })
  await wait(short + 100)
  for (const [way, ask, answer] of ways)
    for (const stored of ['set', 'made']) assert.deepEqual(await ask(key(`${stored} ${way}`)), answer, way)
  assert.equal(factory.calls, 2, 'factories')
  assert.equal(await cache.get(key('long')), 'kept')
})

always('keeps an entry with a ttl of 25, 30 or 50 days', async ({ cache, key, wait }) => {
  // The last is next to nothing where 32 bits of it are kept.
  const ttls = [25 * day, 30 * day, 2 ** 32 + short]
  for (const ttl of ttls) {
    await cache.set(key(`set ${ttl}`), 'kept', { ttl })
    await cache.getOrSet(key(`made ${ttl}`), () => 'kept', { ttl })
  }
  await wait(short + 100)
  for (const ttl of ttls)
    for (const stored of ['set', 'made'])
      assert.equal(await cache.get(key(`${stored} ${ttl}`)), 'kept', `the entry with a ttl of ${ttl} ms`)
})

always('takes the ttl of the last write', async ({ cache, key, wait }) => {
  await cache.set(key('longer'), 1, { ttl: short })
  await cache.set(key('longer'), 2, { ttl: hour })
  await cache.set(key('shorter'), 1, { ttl: hour })
  await cache.set(key('shorter'), 2, { ttl: short })
  await wait(short + 100)
  assert.equal(await cache.get(key('longer')), 2)
  none(await cache.get(key('shorter')))
})

always(
  'serves what is past its ttl where the factory fails, within the grace and not after it',
  async ({ cache, key, wait }) => {
    await cache.set(key('grace'), { n: 1 }, { ttl: short, grace: hour })
    await cache.set(key('over'), 'old', { ttl: 1, grace: short })
    await cache.set(key('none'), 'old', { ttl: short })
    await wait(short + 100)
    none(await cache.get(key('grace')), 'a value past its ttl, to those who only ask')
    for (let round = 0; round < 2; round++)
      assert.deepEqual(await cache.getOrSet(key('grace'), failing, { grace: hour }), { n: 1 })
    await failsWithFactory(cache.getOrSet(key('over'), failing, { grace: short }), 'past its grace, getOrSet')
    await failsWithFactory(cache.getOrSet(key('none'), failing), 'without a grace, getOrSet')
  },
  claims('grace'),
)

always(
  'makes a value anew that is past its ttl, and forgets the old one',
  async ({ cache, key, wait }) => {
    await cache.set(key('a'), 'old', { ttl: short, grace: hour })
    await wait(short + 50)
    const policy = { ttl: hour, grace: hour }
    assert.equal(await cache.getOrSet(key('a'), () => 'new', policy), 'new')
    assert.equal(await cache.get(key('a')), 'new')
    assert.equal(await cache.getOrSet(key('a'), failing, policy), 'new')
  },
  claims('grace'),
)

always(
  'has nothing left of an entry that was deleted in its grace',
  async ({ cache, key, wait }) => {
    await cache.set(key('a'), 'old', { ttl: short, grace: hour })
    await wait(short + 50)
    await cache.delete(key('a'))
    await failsWithFactory(cache.getOrSet(key('a'), failing, { grace: hour }), 'getOrSet')
  },
  claims('grace'),
)

always(
  'ends the ttl of an entry when it is told to, and extends it',
  async ({ cache, key, wait }) => {
    await cache.set(key('ended'), 'old', { ttl: hour })
    await cache.set(key('extended'), 'kept', { ttl: 1_000 })
    await cache.get(key('ended'))
    await cache.expire!(key('ended'))
    await cache.expire!(key('extended'), hour)
    none(await cache.get(key('ended')))
    await cache.expire!(key('never there'))
    none(await cache.get(key('never there')))
    await wait(1_050)
    assert.equal(await cache.get(key('extended')), 'kept')
  },
  has('expire'),
)

always(
  'keeps the grace of an entry whose ttl it ends',
  async ({ cache, key }) => {
    await cache.set(key('a'), 'old', { ttl: hour, grace: hour })
    await cache.expire!(key('a'))
    none(await cache.get(key('a')))
    assert.equal(await cache.getOrSet(key('a'), failing, { grace: hour }), 'old')
  },
  all(has('expire'), claims('grace')),
)
