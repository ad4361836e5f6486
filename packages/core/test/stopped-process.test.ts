import { eventually } from '@holdfast-internal/test-fixtures'
import { expect, it } from 'vitest'
import type { Backend } from '../src/backend/backend.ts'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
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

it('serves near at hand again what has proved to be unchanged, whenever the proof comes', async () => {
  const { clock, sleep } = sleeper()
  const proof = lateProof(redisBackendFrom(redis().url))
  const { cache } = await start({ near: true }, { clock, redis: undefined, backend: proof.backend })
  const servedBy = async (): Promise<'near' | 'primary' | undefined> => {
    const before = cache.statistics().hits
    expect(await cache.get('key')).toBe('value')
    const { near, primary } = cache.statistics().hits
    return near > before.near ? 'near' : primary > before.primary ? 'primary' : undefined
  }
  await cache.set('key', 'value')
  await eventually(async () => expect(await servedBy()).toBe('near'))
  sleep(7_000)
  expect(await servedBy()).toBe('primary')
  proof.comes()
  await eventually(() => expect(cache.statistics().near.isOn).toBe(true))
  expect(await servedBy()).toBe('near')
})

it('asks for versions that may have changed while it was stopped', async () => {
  const { clock, sleep } = sleeper()
  const proof = lateProof(redisBackendFrom(redis().url))
  const { cache } = await start({}, { clock, redis: undefined, backend: proof.backend })
  await cache.set('key', 'value', { tags: ['tag'] })
  const asked = async (): Promise<number> => {
    const before = await readsOfRedis()
    expect(await cache.get('key')).toBe('value')
    return (await readsOfRedis()) - before
  }
  await eventually(async () => expect(await asked()).toBe(1))
  sleep(7_000)
  expect(await asked()).toBe(3)
  proof.comes()
  await eventually(async () => expect(await asked()).toBe(1))
})

/** Asked for a proof that nothing went unheard, this backend answers from when that comes. */
function lateProof(backend: Backend): { readonly backend: Backend; comes(): void } {
  const { promise: arrival, resolve: comes } = Promise.withResolvers<void>()
  const track: Backend['track'] = (prefix, listener) => {
    const tracking = backend.track!(prefix, listener)
    return { ...tracking, prove: () => arrival.then(tracking.prove) }
  }
  return { backend: { ...backend, track }, comes }
}

async function readsOfRedis(): Promise<number> {
  const info = String(await redis().control.command('INFO', 'commandstats'))
  const calls = [...info.matchAll(/^cmdstat_(?:get|mget):calls=(\d+)/gm)]
  return calls.reduce((sum, [, count]) => sum + Number(count), 0)
}
