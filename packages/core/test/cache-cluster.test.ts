import { startCluster, type Cluster } from '@holdfast-internal/test-fixtures'
import { Cluster as ClusterClient } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createHoldfast } from '../src/index.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 30_000)
afterAll(() => cluster.stop())

it('caches in a Cluster: every key in its slot, without a near cache', async () => {
  const client = new ClusterClient(cluster.nodes.map(({ host, port }) => ({ host, port })))
  client.on('error', () => undefined)
  const holdfast = createHoldfast({ redis: client, logger: false })
  onTestFinished(async () => {
    await holdfast.close()
    client.disconnect()
  })
  await holdfast.ready()
  const cache = holdfast.cache({ near: true, indexed: true })
  const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`)
  const stored = await cache.setMany(
    keys.map((key, i) => ({ key, value: i, policy: { tags: [`tag ${i % 3}`] } })),
  )
  expect(stored.every(Boolean)).toBe(true)
  expect(await cache.getMany(keys)).toEqual(keys.map((_, i) => i))
  await cache.deleteByTag('tag 1')
  expect(await cache.getMany(keys)).toEqual(keys.map((_, i) => (i % 3 === 1 ? undefined : i)))
  let calls = 0
  const made = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('cold', () => ++calls)))
  expect(new Set(made)).toEqual(new Set([1]))
  const listed: string[] = []
  for await (const batch of cache.keys()) listed.push(...batch)
  expect(new Set(listed)).toEqual(new Set([...keys, 'cold']))
  await cache.clear()
  expect(await cache.getMany(keys)).toEqual(keys.map(() => undefined))
  expect(cache.statistics()).toMatchObject({ hits: { near: 0 }, near: { isOn: false } })
})
