import { eventually } from '@holdfast-internal/test-fixtures'
import { expect, it } from 'vitest'
import { fleetOfTests } from './cache-fleet.ts'
import { sleeper } from './sleeper.ts'

// A process that is stopped (a frozen container, a machine that sleeps) gets to what is due before any timer tells of the time.
const { redis, start } = fleetOfTests()

it('serves nothing near at hand that may have changed while it was stopped', async () => {
  const { clock, sleep } = sleeper()
  const [stopped, other] = [await start({ near: true }, { clock }), await start()]
  await other.cache.set('key', 'old')
  await stopped.cache.get('key')
  stopped.proxy.blackhole()
  await other.cache.set('key', 'new')
  // Nothing has told yet that the line is dead.
  expect(await stopped.cache.get('key')).toBe('old')
  sleep(7_000)
  expect(await stopped.cache.get('key')).toBeUndefined()
})

it('serves near at hand again what has proved to be unchanged', async () => {
  const { clock, sleep } = sleeper()
  const { cache } = await start({ near: true }, { clock })
  await cache.set('key', 'value')
  await cache.get('key')
  await cache.get('key')
  expect(cache.statistics().hits).toMatchObject({ near: 1, primary: 1 })
  sleep(7_000)
  expect(await cache.get('key')).toBe('value')
  expect(cache.statistics().hits).toMatchObject({ near: 1, primary: 2 })
  await eventually(() => expect(cache.statistics().near.isOn).toBe(true))
  expect(await cache.get('key')).toBe('value')
  expect(cache.statistics().hits).toMatchObject({ near: 2, primary: 2 })
})

it('asks for versions that may have changed while it was stopped', async () => {
  const { clock, sleep } = sleeper()
  const { cache } = await start({}, { clock })
  await cache.set('key', 'value', { tags: ['tag'] })
  const asked = async (): Promise<number> => {
    const before = await readsOfRedis()
    expect(await cache.get('key')).toBe('value')
    return (await readsOfRedis()) - before
  }
  await eventually(async () => expect(await asked()).toBe(1))
  sleep(7_000)
  expect(await asked()).toBe(3)
  await eventually(async () => expect(await asked()).toBe(1))
})

async function readsOfRedis(): Promise<number> {
  const info = String(await redis().control.command('INFO', 'commandstats'))
  const calls = [...info.matchAll(/^cmdstat_(?:get|mget):calls=(\d+)/gm)]
  return calls.reduce((sum, [, count]) => sum + Number(count), 0)
}
