import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import { createTheme, type Theme } from '../case.ts'
import { eventually, none, same } from '../expect.ts'
import { claims, counted, has } from './kit.ts'

/** What goes in comes out. */
export const values: Theme<CacheGround> = createTheme('values')
const { always } = values

always('gives values back as they were stored, falsy ones too', async ({ cache, key }) => {
  const given = [
    'text',
    '',
    'ä\n\0🗝',
    0,
    -0.5,
    1e21,
    false,
    true,
    [],
    {},
    [null, [], {}],
    { a: { b: [1, 'two', null] } },
  ]
  for (const [i, value] of given.entries()) {
    await cache.set(key(`${i}`), value)
    assert.deepEqual(await cache.get(key(`${i}`)), value)
    const factory = counted(() => 'made')
    assert.deepEqual(await cache.getOrSet(key(`${i}`), factory), value)
    assert.equal(factory.calls, 0, `factories for a key that holds ${JSON.stringify(value)}`)
  }
})

always('tells null, which is a value, from nothing', async ({ cache, key }) => {
  none(await cache.get(key('none')), 'what is not there')
  await cache.set(key('null'), null)
  assert.equal(await cache.get(key('null')), null)
  const factory = counted(() => 'made')
  assert.equal(await cache.getOrSet(key('null'), factory), null)
  assert.equal(factory.calls, 0, 'factories for a key that holds null')
})

always('gives bytes back as bytes', async ({ cache, key }) => {
  const every = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte))
  for (const bytes of [every, Buffer.alloc(0), Buffer.from('{"a":1}'), Buffer.alloc(100_000, 7)]) {
    await cache.set(key('bytes'), bytes)
    same(await cache.get(key('bytes')), bytes, 'the value')
  }
})

always('keeps objects of any depth and size', async ({ cache, key }) => {
  const depth = 500
  let deep: unknown = 'bottom'
  for (let level = 0; level < depth; level++) deep = { level, deep }
  const wide = Object.fromEntries(times1000((i) => [`field ${i}`, { i, text: 'x'.repeat(i % 50) }]))
  await cache.set(key('deep'), deep)
  await cache.set(key('wide'), wide)
  for (const [name, value] of Object.entries({ deep, wide })) {
    const isSame = JSON.stringify(await cache.get(key(name))) === JSON.stringify(value)
    assert.ok(isSame, `a ${name} object came back as another`)
  }
})

always('drops keys that would set the prototype of whoever merges them', async ({ cache, key }) => {
  const text = '{"a":1,"__proto__":{"isAdmin":true},"deep":[{"__proto__":{"isAdmin":true},"b":2}]}'
  await cache.set(key('a'), JSON.parse(text))
  const value = (await cache.get(key('a'))) as {
    a: number
    isAdmin?: true
    deep: { b: number; isAdmin?: true }[]
  }
  assert.deepEqual([value.a, value.deep[0]!.b], [1, 2])
  for (const object of [value, value.deep[0]!]) {
    assert.ok(!Object.hasOwn(object, '__proto__'), 'an own "__proto__" came back')
    assert.equal(object.isAdmin, undefined, 'a prototype came back')
  }
})

always('keeps what was stored when the caller changes its object afterwards', async ({ cache, key }) => {
  const value = { user: 'ada', roles: ['reader'] }
  await cache.set(key('a'), value)
  value.user = 'changed'
  value.roles.push('admin')
  assert.deepEqual(await cache.get(key('a')), { user: 'ada', roles: ['reader'] })
})

always('hands out nothing that a caller could corrupt for the others by changing it', async (ground) => {
  const { cache, key } = ground
  const stored = { user: 'ada', roles: ['reader'], deep: { list: [{ n: 1 }] } }
  await cache.set(key('object'), stored)
  await cache.set(key('bytes'), Buffer.from('bytes'))
  for (let round = 0; round < 4; round++) {
    for (const read of reads(ground)) {
      const object = await read(key('object'))
      assert.deepEqual(object, stored)
      const bytes = await read(key('bytes'))
      same(bytes, 'bytes', 'the bytes')
      change(object as typeof stored)
      ;(bytes as Buffer).fill(0)
    }
  }
})

always('answers undefined for what is not there', async ({ cache, key }) => {
  none(await cache.get(key('none')))
  await cache.set(key('near'), 'there')
  none(await cache.get(key('nea')))
  none(await cache.get(key('Near')))
})

always('replaces what a key held', async ({ cache, peer, key }) => {
  await cache.set(key('a'), { first: 1 })
  await cache.get(key('a'))
  await cache.set(key('a'), { second: 2 })
  assert.deepEqual(await cache.get(key('a')), { second: 2 })
  await eventually(async () => assert.deepEqual(await peer.get(key('a')), { second: 2 }))
})

always('deletes one entry and leaves the others', async ({ cache, key }) => {
  for (const name of ['a', 'ab', 'A']) await cache.set(key(name), name)
  await cache.delete(key('a'))
  none(await cache.get(key('a')))
  assert.deepEqual([await cache.get(key('ab')), await cache.get(key('A'))], ['ab', 'A'])
  await cache.delete(key('never there'))
})

always('takes keys of any characters, and tells them apart', async ({ cache, key }) => {
  const names = ['a b', 'a*', 'a?', '[a]', 'a\\', 'a:b', '{a}', 'ä', '🗝', '__proto__', '%00', 'A', 'a', 'a\n']
  for (const name of names) await cache.set(key(name), name)
  for (const name of names) assert.equal(await cache.get(key(name)), name)
})

always(
  'tells whether there is an entry',
  async ({ cache, key }) => {
    assert.equal(await cache.has!(key('a')), false)
    for (const value of ['text', null, 0, '']) {
      await cache.set(key('a'), value)
      assert.equal(await cache.has!(key('a')), true, `with ${JSON.stringify(value)}`)
    }
    await cache.delete(key('a'))
    assert.equal(await cache.has!(key('a')), false, 'once deleted')
  },
  has('has'),
)

always(
  'gives many values in the order of the keys, repeated ones repeatedly',
  async ({ cache, key }) => {
    const names = Array.from({ length: 50 }, (_, i) => key(`${i}`))
    for (const [i, name] of names.entries()) if (i % 3 > 0) await cache.set(name, { i })
    const asked = [...names.toReversed(), names[1]!, names[1]!, key('none')]
    const expected = asked.map((name) => {
      const i = names.indexOf(name)
      return i % 3 > 0 ? { i } : undefined
    })
    assert.deepEqual(await cache.getMany!(asked), expected)
    assert.deepEqual(await cache.getMany!(asked), expected, 'when they were asked for before')
    assert.deepEqual(await cache.getMany!([]), [])
  },
  has('getMany'),
)

always(
  'stores many and deletes many',
  async ({ cache, key }) => {
    const entries = Array.from({ length: 20 }, (_, i) => ({ key: key(`${i}`), value: { i } }))
    await cache.setMany!(entries)
    for (const entry of entries) assert.deepEqual(await cache.get(entry.key), entry.value)
    await cache.deleteMany!(entries.slice(0, 10).map((entry) => entry.key))
    for (const [i, entry] of entries.entries())
      assert.deepEqual(await cache.get(entry.key), i < 10 ? undefined : entry.value)
  },
  has('setMany', 'deleteMany'),
)

always(
  'takes what is foreign or corrupt for a miss, and overwrites it',
  async (ground) => {
    const { cache, peer, key, plant } = ground
    const foreign: (string | Uint8Array | readonly string[])[] = [
      '123',
      'null',
      '{"foo":1}',
      '[]',
      '[1,2]',
      '"text"',
      '',
      '{',
      Uint8Array.from([0, 255, 1, 254, 72]),
      ['a', 'list'],
    ]
    for (const [i, value] of foreign.entries()) {
      const name = key(`${i}`)
      const what = `in the place of ${JSON.stringify(value)}`
      const planted = typeof value === 'string' ? Buffer.from(value) : value
      await plant(name, planted)
      none(await cache.get(name), what)
      const factory = counted(() => 'made')
      assert.equal(await cache.getOrSet(name, factory), 'made', what)
      assert.equal(factory.calls, 1, `factories ${what}`)
      assert.equal(await cache.getOrSet(name, factory), 'made', what)
      assert.equal(factory.calls, 1, `factories once a value was made ${what}`)
      await eventually(async () => assert.equal(await peer.get(name), 'made', what))
      // Over an entry that is held near, too.
      await plant(name, planted)
      await eventually(async () => none(await cache.get(name), what))
      await cache.set(name, 'set')
      assert.equal(await cache.get(name), 'set', what)
    }
  },
  claims('plant'),
)

function reads({ cache, key }: CacheGround): ((name: string) => Promise<unknown>)[] {
  const made = { shared: { by: ['all'] } }
  return [
    (name) => cache.get(name),
    (name) => cache.getOrSet(name, () => made),
    ...(cache.getMany ? [async (name: string) => (await cache.getMany!([key('none'), name]))[1]] : []),
  ]
}

/** Changes all that can be changed. */
function change(value: { user: string; roles: string[]; deep: { list: { n: number }[] } }): void {
  for (const attempt of [
    () => (value.user = 'changed'),
    () => value.roles.push('admin'),
    () => (value.deep.list[0]!.n = 2),
    () => delete (value as { user?: string }).user,
  ]) {
    try {
      attempt()
    } catch {
      // What is frozen says so.
    }
  }
}

function times1000<T>(make: (i: number) => T): T[] {
  return Array.from({ length: 1_000 }, (_, i) => make(i))
}
