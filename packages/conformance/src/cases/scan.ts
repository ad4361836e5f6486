import assert from 'node:assert/strict'
import type { Backend } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes } from '../expect.ts'
import type { BackendGround } from '../ground.ts'

/** Keys can be listed by what they begin with. */
export const scan: Theme<BackendGround> = createTheme('scan')
const { always, promise } = scan

always('gives every key under a prefix, and none beside it', async ({ backend, key }) => {
  const keys = Array.from({ length: 300 }, (_, i) => key(`mine:${i}`))
  const neighbours = [key('mine'), key('Mine:1'), key('yours:1'), key('x:') + key('mine:1')]
  await Promise.all([...keys, ...neighbours].map((each) => backend.set(each, bytes('1'))))
  assert.deepEqual(await listed(backend, key('mine:')), keys.toSorted())
})

promise('gives all of five thousand keys', {
  async healthy({ backend, key }) {
    const keys = Array.from({ length: 5_000 }, (_, i) => key(`many:${i}`))
    const inBatches = async (call: (key: string) => Promise<unknown>): Promise<void> => {
      for (let start = 0; start < keys.length; start += 500)
        await Promise.all(keys.slice(start, start + 500).map(call))
    }
    await inBatches((each) => backend.set(each, bytes('1')))
    const found = new Set(await listed(backend, key('many:')))
    const missed = keys.filter((each) => !found.has(each))
    assert.equal(missed.length, 0, `${missed.length} keys are not listed`)
    assert.equal(found.size, keys.length, 'the number of keys listed')
    // The scans of others walk past them.
    await inBatches((each) => backend.delete(each))
  },
})

always('takes the prefix as plain text: glob characters mean themselves', async ({ backend, key }) => {
  const names = ['a*:', 'a?:', '[ab]:', 'a\\:', '[^a]:', 'a-z:', '%:', '_:', 'a.:']
  const decoys = ['ab:1', 'a:1', 'b:1', 'abc:1', 'a\\b:1', 'c:1', 'a%:1']
  await Promise.all(
    [...names.map((name) => `${name}1`), ...decoys].map((name) => backend.set(key(name), bytes('1'))),
  )
  for (const name of names) {
    assert.deepEqual(await listed(backend, key(name)), [key(`${name}1`)], `under ${JSON.stringify(name)}`)
  }
})

always('lists keys with newlines and other characters as they are', async ({ backend, key }) => {
  const keys = ['a\nb', 'a\r\nb', '\n', 'a b', '鍵', '🗝', 'a\0b', '"a"'].map((name) => key(`odd:${name}`))
  await Promise.all(keys.map((each) => backend.set(each, bytes('1'))))
  assert.deepEqual(await listed(backend, key('odd:')), keys.toSorted())
})

always('gives a key that stays while others come and go', async ({ backend, key }) => {
  const stays = Array.from({ length: 200 }, (_, i) => key(`stays:${i}`))
  const goes = Array.from({ length: 200 }, (_, i) => key(`stays:going:${i}`))
  await Promise.all([...stays, ...goes].map((each) => backend.set(each, bytes('1'))))
  const found = new Set<string>()
  for await (const keys of backend.scan(key('stays:'))) {
    for (const each of keys) found.add(each)
    const batch = goes.splice(0, 40)
    await Promise.all([
      ...batch.map((each) => backend.delete(each)),
      backend.set(`${batch[0]}:new`, bytes('1')),
    ])
  }
  assert.deepEqual(
    stays.filter((each) => !found.has(each)),
    [],
    'keys that were there all the time and not listed',
  )
})

always('ends without a key where there is none, and can be left early', async ({ backend, key }) => {
  assert.deepEqual(await listed(backend, key('nothing:')), [])
  await Promise.all(Array.from({ length: 50 }, (_, i) => backend.set(key(`early:${i}`), bytes('1'))))
  for await (const keys of backend.scan(key('early:'))) if (keys.length > 0) break
  assert.equal((await listed(backend, key('early:'))).length, 50, 'a scan after one that was left early')
})

async function listed(backend: Backend, prefix: string): Promise<string[]> {
  const found = new Set<string>()
  for await (const keys of backend.scan(prefix)) for (const key of keys) found.add(key)
  return [...found].toSorted()
}
