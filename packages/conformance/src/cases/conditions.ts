import assert from 'node:assert/strict'
import { versionOf, type Backend, type SetOutcome } from '@holdfast/core'
import { createTheme, type Theme } from '../case.ts'
import { bytes, none, same } from '../expect.ts'
import type { BackendGround } from '../ground.ts'

/** A write with a condition takes place only where the condition holds, and says what stands there where it does not. */
export const conditions: Theme<BackendGround> = createTheme('conditional writes')
const { always, promise } = conditions

const large = 65_536

always('stores "if absent" only where there is nothing', async ({ backend, key }) => {
  assert.deepEqual(await backend.set(key('a'), bytes('first'), { ifAbsent: true }), { written: true })
  refused(await backend.set(key('a'), bytes('second'), { ifAbsent: true }), 'first')
  same(await backend.get(key('a')), 'first')
  await backend.set(key('empty'), bytes(''))
  refused(await backend.set(key('empty'), bytes('second'), { ifAbsent: true }), '')
})

always('stores "if version" only over these very bytes', async ({ backend, key }) => {
  await backend.set(key('a'), bytes('first'))
  const first = versionOf(bytes('first'))
  refused(await backend.set(key('a'), bytes('wrong'), { ifVersion: versionOf(bytes('other')) }), 'first')
  assert.deepEqual(await backend.set(key('a'), bytes('second'), { ifVersion: first }), { written: true })
  refused(await backend.set(key('a'), bytes('third'), { ifVersion: first }), 'second')
  same(await backend.get(key('a')), 'second')
})

always('stores nothing "if version" where there is nothing', async ({ backend, key }) => {
  const ifVersion = versionOf(bytes('gone'))
  const outcome = await backend.set(key('none'), bytes('back again'), { ifVersion })
  assert.equal(outcome.written, false)
  none(outcome.written ? 'written' : outcome.current, 'what stands there')
  none(await backend.get(key('none')))
})

always('leaves an entry and its ttl alone where the condition fails', async ({ backend, key, wait }) => {
  const year = 365 * 86_400_000
  for (const name of ['absent', 'version']) await backend.set(key(name), bytes('mine'), { ttl: 1_000 })
  await backend.set(key('kept'), bytes('mine'), { ttl: year })
  await backend.set(key('absent'), bytes('theirs'), { ifAbsent: true, ttl: year })
  await backend.set(key('version'), bytes('theirs'), { ifVersion: versionOf(bytes('theirs')), ttl: year })
  await backend.set(key('kept'), bytes('theirs'), { ifAbsent: true, ttl: 50 })
  await wait(1_200)
  none(await backend.get(key('absent')), 'the entry that was refused "if absent"')
  none(await backend.get(key('version')), 'the entry that was refused "if version"')
  same(await backend.get(key('kept')), 'mine', 'the entry with the longer ttl')
})

always('gives a conditional write its own ttl, or none', async ({ backend, key, wait }) => {
  await backend.set(key('absent'), bytes('1'), { ifAbsent: true, ttl: 80 })
  await backend.set(key('version'), bytes('old'))
  await backend.set(key('version'), bytes('new'), { ifVersion: versionOf(bytes('old')), ttl: 80 })
  await backend.set(key('stays'), bytes('old'), { ttl: 1_500 })
  await backend.set(key('stays'), bytes('new'), { ifVersion: versionOf(bytes('old')) })
  await wait(1_600)
  none(await backend.get(key('absent')), 'the entry "if absent"')
  none(await backend.get(key('version')), 'the entry "if version"')
  same(await backend.get(key('stays')), 'new', 'the entry that lost its ttl')
})

race('lets exactly one of many writers be the first, with 64 kB as well', raceToBeFirst, [40, 12])
race('loses none of many updates that build on one another, with 64 kB as well', raceToUpdate, [20, 6])

/** Large values only while all is well: a crowd after an outage has no time for them. */
function race(
  name: string,
  run: (ground: BackendGround, name: string, writers: number, size: number) => Promise<void>,
  [writers, writersOfLarge]: readonly [writers: number, writersOfLarge: number],
): void {
  promise(name, {
    isRepeated: true,
    async healthy(ground) {
      await run(ground, 'small', writers, 0)
      await run(ground, 'large', writersOfLarge, large)
    },
    async recovered(ground) {
      await ground.usable()
      await run(ground.again(), 'small', writers, 0)
    },
  })
}

async function raceToBeFirst(
  { backend, other, key }: BackendGround,
  name: string,
  writers: number,
  size: number,
): Promise<void> {
  const values = Array.from({ length: writers }, (_, i) => `writer ${i}`.padEnd(size))
  const outcomes = await Promise.all(
    values.map((value, i) => [backend, other][i % 2]!.set(key(name), bytes(value), { ifAbsent: true })),
  )
  const winners = outcomes.flatMap(({ written }, i) => (written ? [i] : []))
  assert.equal(winners.length, 1, `${winners.length} writers were told that they were the first`)
  const first = values[winners[0]!]!
  same(await backend.get(key(name)), first)
  for (const outcome of outcomes) if (!outcome.written) same(outcome.current, first, 'what stands there')
}

async function raceToUpdate(
  { backend, other, key }: BackendGround,
  name: string,
  updates: number,
  size: number,
): Promise<void> {
  await backend.set(key(name), bytes('0'.padEnd(size)))
  await Promise.all(
    Array.from({ length: updates }, (_, i) => increment([backend, other][i % 2]!, key(name), size)),
  )
  same(await backend.get(key(name)), String(updates).padEnd(size), 'the count')
}

async function increment(backend: Backend, key: string, size: number): Promise<void> {
  let current = await backend.get(key)
  for (;;) {
    const next = bytes(String(Number(Buffer.from(current!).toString()) + 1).padEnd(size))
    const outcome = await backend.set(key, next, { ifVersion: versionOf(current!) })
    if (outcome.written) return
    current = outcome.current
  }
}

function refused(outcome: SetOutcome, current: string): void {
  assert.equal(outcome.written, false, 'the write should have been refused')
  if (!outcome.written) same(outcome.current, current, 'what stands there')
}
