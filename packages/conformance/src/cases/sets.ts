import assert from 'node:assert/strict'
import type { Backend, ExpiringSets, Member } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, eventually, none, pause, same } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import { needs } from './needs.ts'

/** Sets whose members expire one by one. */
export const sets: Theme<BackendGround> = createTheme('sets')

const short = 80
const year = 365 * 86_400_000
/** Far enough away for any clock that a subject goes by. */
const later = Date.UTC(2100, 0)
const all = { from: 0, limit: 10_000 }

type SetGround = BackendGround & { readonly own: ExpiringSets }

/** A promise of every backend that has sets. */
function promise(name: string, check: (ground: SetGround) => Promise<void>, unclaimed = needs('sets')): void {
  sets.always(name, onSets(check), unclaimed)
}

/** One that takes its time: it is not tried again while others find out how soon an outage is over. */
function longPromise(name: string, check: (ground: SetGround) => Promise<void>): void {
  sets.promise(name, { healthy: onSets(check), unclaimed: needs('sets') })
}

function onSets(check: (ground: SetGround) => Promise<void>): (ground: BackendGround) => Promise<void> {
  return async (ground) => {
    const { own, clear } = clearable(ground.backend.sets!)
    await check({ ...ground, own })
    await clear()
  }
}

promise(
  'gives members with their times, those that expire first before the others, from a time on, up to a number',
  async ({ own, key }) => {
    const [a, b, c] = [at('a', 1), at('b', 2), at('c', 3)]
    await own.add(key('set'), [c, a])
    await own.add(key('set'), [b])
    assert.deepEqual(await own.members(key('set'), all), [a, b, c])
    assert.deepEqual(await own.members(key('set'), { from: b[1], limit: 9 }), [b, c])
    assert.deepEqual(await own.members(key('set'), { from: b[1] + 1, limit: 9 }), [c])
    assert.deepEqual(await own.members(key('set'), { from: 0, limit: 2 }), [a, b])
    assert.deepEqual(await own.members(key('set'), { from: b[1], limit: 1 }), [b])
  },
)

promise('lets the later of two times count for a member, also where both come at once', async (ground) => {
  const { own, key } = ground
  for (const time of [1, 3, 2]) await own.add(key('one by one'), [at('a', time)])
  assert.deepEqual(await own.members(key('one by one'), all), [at('a', 3)])
  await own.add(key('at once'), [at('a', 1), at('b', 2), at('a', 3), at('a', 2)])
  assert.deepEqual(await own.members(key('at once'), all), [at('b', 2), at('a', 3)])
})

promise(
  'has no members whose time is over, in a scan either, and keeps those beside them',
  async (ground) => {
    const { own, key, wait, now } = ground
    const start = now()
    const year1: Member = ['a year', start + year]
    const years2: Member = ['two years', start + 2 * year]
    await own.add(key('set'), [year1])
    await own.add(key('set'), [['over', start + short]])
    await own.add(key('set'), [['long over', start - 1_000]])
    await wait(short + 100)
    assert.deepEqual(await own.members(key('set'), { from: now(), limit: 9 }), [year1], 'from now on')
    await own.add(key('set'), [years2])
    const { found } = await scanned(own, key('set'))
    assert.deepEqual(found, new Map([year1, years2]), 'what a scan gives after the next was added')
    assert.deepEqual(await own.members(key('set'), all), [year1, years2], 'after the next was added')
  },
)

promise(
  'lets go of a set when its last member has expired, and not before',
  async ({ own, key, wait, now }) => {
    const stays: Member = ['stays', now() + year]
    await own.add(key('extended'), [['soon over', now() + short]])
    await own.add(key('extended'), [stays])
    await own.add(key('gone'), [
      ['last', now() + short],
      ['first', now() + short / 2],
    ])
    await wait(short + 100)
    await eventually(async () => assert.deepEqual(await own.members(key('gone'), all), []))
    assert.deepEqual(await own.members(key('extended'), { from: now(), limit: 9 }), [stays])
  },
)

promise('removes members, and takes what is not there for removed', async ({ own, key }) => {
  await own.add(key('set'), [at('a', 1), at('b', 2), at('c', 3)])
  await own.remove(key('set'), ['a', 'never there', 'c'])
  await own.remove(key('nowhere'), ['a'])
  await own.remove(key('set'), [])
  assert.deepEqual(await own.members(key('set'), all), [at('b', 2)])
  assert.deepEqual(await own.members(key('nowhere'), all), [])
})

promise('keeps sets apart from each other', async ({ own, key }) => {
  const names = ['one', 'One', 'one:', 'on', 'o*', 'öne'].map((name) => key(name))
  await Promise.all(names.map((name, i) => own.add(name, [at('a', i), at(`only-${i}`, i + 1)])))
  await own.remove(names[0]!, ['a'])
  const found = await Promise.all(names.map((name) => own.members(name, all)))
  const expected = names.map((_, i) => [at('a', i), at(`only-${i}`, i + 1)])
  assert.deepEqual(found, [[at('only-0', 1)], ...expected.slice(1)])
})

promise('keeps sets apart from keys, and does not list their members', async ({ own, backend, key }) => {
  await own.add(key('set'), [at('a', 1), at('b', 2)])
  for (const name of ['se', 'set:', 'set:a', 'sets']) await backend.set(key(name), bytes(name))
  await own.remove(key('set'), ['a'])
  for (const name of ['se', 'set:', 'set:a', 'sets']) same(await backend.get(key(name)), name)
  const listed: string[] = []
  for await (const keys of backend.scan(key('set:'))) listed.push(...keys)
  assert.deepEqual(new Set(listed), new Set([key('set:'), key('set:a')]), 'what a scan lists')
  assert.equal(await backend.delete(key('set:b')), false, 'a member is no key')
  await backend.delete(key('set:'))
  assert.deepEqual(await own.members(key('set'), all), [at('b', 2)])
})

promise('takes members of letters, digits, ".", "_" and "-", up to 200 of them', async ({ own, key }) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-'
  const long = alphabet.repeat(4).slice(0, 199)
  const odd = [
    'a',
    'A',
    '1',
    '01',
    '1.0',
    '-1',
    '-',
    '.',
    '_',
    '__proto__',
    'nan',
    'inf',
    long,
    `${long}a`,
    `${long}b`,
  ]
  const members = odd.map((name, i) => at(name, i))
  await own.add(key('set'), members)
  assert.deepEqual(await own.members(key('set'), all), members)
  await own.remove(key('set'), [`${long}a`, 'A'])
  assert.deepEqual(
    await own.members(key('set'), all),
    members.filter(([name]) => name !== `${long}a` && name !== 'A'),
  )
})

promise('removes a key where it adds a member, and leaves no moment with neither', async (ground) => {
  const { own, backend, other, key } = ground
  for (let round = 0; round < 10; round++) {
    const record = key(`record ${round}`)
    const mark = at(`mark-${round}`, round)
    await backend.set(record, bytes('value'))
    await backend.set(key('neighbour'), bytes('value'))
    await Promise.all([
      own.add(key('set'), [mark], { delete: record }),
      gone(other, record, key('set'), mark),
    ])
    none(await backend.get(record), 'the key that was to be removed')
    same(await backend.get(key('neighbour')), 'value')
  }
})

promise(
  'removes a key and adds a member where either has been done already',
  async ({ own, backend, key }) => {
    await own.add(key('set'), [at('a', 1)], { delete: key('never there') })
    assert.deepEqual(await own.members(key('set'), all), [at('a', 1)])
    await backend.set(key('record'), bytes('value'))
    await own.add(key('set'), [at('a', 1)], { delete: key('record') })
    none(await backend.get(key('record')), 'the key that was to be removed')
    assert.deepEqual(await own.members(key('set'), all), [at('a', 1)])
  },
)

promise('tells those who listen of a member once it is there, byte by byte', async (ground) => {
  const { own, other, key } = ground
  const message = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte))
  const heard: Uint8Array[] = []
  let then: Promise<Member[]> | undefined
  const listener = await other.subscribe(key('channel'), (bytesHeard) => {
    heard.push(Buffer.from(bytesHeard))
    then ??= other.sets!.members(key('set'), all)
  })
  await own.add(key('set'), [at('quiet', 1)])
  await own.add(key('set'), [at('a', 2)], { publish: { channel: key('channel'), message } })
  await eventually(async () => assert.ok(heard.length > 0, 'nothing was heard'))
  await pause(50)
  assert.equal(heard.length, 1, 'messages')
  same(heard[0], message, 'the message')
  assert.deepEqual(await then, [at('quiet', 1), at('a', 2)], 'what is there when the message is heard')
  await listener.close()
})

promise(
  'lets one client see the members that another has added',
  async ({ own, other, key }) => {
    await own.add(key('set'), [at('a', 1)])
    assert.deepEqual(await other.sets!.members(key('set'), all), [at('a', 1)])
  },
  (ground) => needs('sets')(ground) ?? needs('shared')(ground),
)

longPromise('gives three thousand members, page by page', async ({ own, key }) => {
  const members = Array.from({ length: 3_000 }, (_, i) => at(`member-${i}`, i))
  for (let start = 0; start < members.length; start += 500)
    await own.add(key('set'), members.slice(start, start + 500))
  const found = new Map<string, number>()
  for (let from = 0; ;) {
    const page = await own.members(key('set'), { from, limit: 700 })
    assert.ok(page.length <= 700, `${page.length} members where 700 were asked for`)
    for (const [member, time] of page) found.set(member, time)
    if (page.length < 700) break
    from = page.at(-1)![1]
  }
  assert.deepEqual([...found], members)
})

longPromise(
  'scans all members of a set of five thousand, with their times, in batches',
  async ({ own, key }) => {
    const members = Array.from({ length: 5_000 }, (_, i) => at(`member-${i}`, i))
    for (let start = 0; start < members.length; start += 500)
      await own.add(key('set'), members.slice(start, start + 500))
    const { found, batches } = await scanned(own, key('set'))
    const wrong = members.filter(([member, time]) => found.get(member) !== time)
    assert.equal(wrong.length, 0, `${wrong.length} members are not given, or with another time`)
    assert.equal(found.size, members.length, 'the number of members given')
    assert.ok(batches > 1, 'all of them came at once')
  },
)

promise('scans a set and none beside it, ends where there is none, and can be left early', async (ground) => {
  const { own, key } = ground
  const names = ['set', 'Set', 'set:', 'se', 's*t'].map((name) => key(name))
  await Promise.all(names.map((name, i) => own.add(name, [at('a', i), at(`only-${i}`, i)])))
  for await (const members of own.scan(names[0]!)) if (members.length > 0) break
  for (const [i, name] of names.entries()) {
    const { found } = await scanned(own, name)
    assert.deepEqual(found, new Map([at('a', i), at(`only-${i}`, i)]), `the members of ${name}`)
  }
  assert.equal((await scanned(own, key('nothing'))).found.size, 0, 'the members of a set that is not there')
})

longPromise('scans a member that stays while others come and go', async ({ own, key }) => {
  const stays = Array.from({ length: 1_000 }, (_, i) => at(`stays-${i}`, i))
  const goes = Array.from({ length: 1_000 }, (_, i) => at(`goes-${i}`, i))
  await own.add(key('set'), [...stays, ...goes])
  const found = new Set<string>()
  let round = 0
  for await (const members of own.scan(key('set'))) {
    for (const [member] of members) found.add(member)
    await own.remove(key('set'), namesOf(goes.splice(0, 400)))
    await own.add(key('set'), [at(`comes-${round++}`, round)])
  }
  const missed = namesOf(stays).filter((member) => !found.has(member))
  assert.equal(missed.length, 0, `${missed.length} members that were there all the time are not given`)
})

function at(member: string, seconds: number): Member {
  return [member, later + seconds * 1_000]
}

function namesOf(members: readonly Member[]): string[] {
  return members.map(([member]) => member)
}

async function scanned(
  own: ExpiringSets,
  set: string,
): Promise<{ readonly found: Map<string, number>; readonly batches: number }> {
  const found = new Map<string, number>()
  let batches = 0
  for await (const members of own.scan(set)) {
    batches++
    for (const [member, time] of members) found.set(member, time)
  }
  return { found, batches }
}

/** Waits until a key is gone; from the first look that misses it, the mark has to be there. */
async function gone(backend: Backend, key: string, set: string, mark: Member): Promise<void> {
  const end = performance.now() + 2_000
  while ((await backend.get(key)) !== undefined) {
    assert.ok(performance.now() < end, 'the key was not removed')
    await pause(0)
  }
  const marks = await backend.sets!.members(set, { from: mark[1], limit: 1 })
  assert.deepEqual(marks, [mark], 'the mark when the key is gone')
}

/** Sets that know what was added to them: not every backend lists them in a scan. */
function clearable(inner: ExpiringSets): { readonly own: ExpiringSets; clear(): Promise<void> } {
  const added = new Map<string, Set<string>>()
  const own: ExpiringSets = {
    async add(set, members, also) {
      const names = added.get(set) ?? new Set()
      added.set(set, names)
      for (const [member] of members) names.add(member)
      await inner.add(set, members, also)
    },
    remove: (set, members) => inner.remove(set, members),
    members: (set, range) => inner.members(set, range),
    scan: (set) => inner.scan(set),
  }
  return {
    own,
    async clear() {
      await Promise.all([...added].map(([set, names]) => inner.remove(set, [...names])))
    },
  }
}
