import { startCluster, type Cluster } from '@holdfast-internal/test-fixtures'
import { createHoldfast, type Holdfast } from '@holdfast/core'
import { Cluster as ClusterClient } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KeyvHoldfast } from '../src/index.ts'
import { entriesOf } from './grounds.ts'

let cluster: Cluster
let client: ClusterClient
let holdfast: Holdfast
beforeAll(async () => {
  cluster = await startCluster()
  client = new ClusterClient(cluster.masters.map(({ host, port }) => ({ host, port })))
  holdfast = createHoldfast({ redis: client, operationTimeout: 5_000, logger: false })
  await holdfast.ready()
}, 30_000)
afterAll(async () => {
  await holdfast.close()
  client.disconnect()
  await cluster.stop()
})

it('keeps its promises across the slots of a Redis Cluster', async () => {
  const store = new KeyvHoldfast({ holdfast, namespace: 'cluster' })
  const other = new KeyvHoldfast({ holdfast, namespace: 'other' })
  const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
  const entries = keys.map((key) => ({ key, value: key, ttl: 60_000 }))
  expect(await store.setMany(entries)).toEqual(keys.map(() => true))
  await other.setMany(entries)
  for (const { control } of cluster.masters)
    expect(Number(await control.command('DBSIZE'))).toBeGreaterThan(10)
  expect(await store.getMany(['none', ...keys])).toEqual([undefined, ...keys])
  expect(await entriesOf(store.iterator())).toEqual(new Map(keys.map((key) => [key, key])))
  expect(await store.deleteMany(['key 1', 'key 2'])).toBe(true)
  expect(await store.hasMany(['key 1', 'key 3'])).toEqual([false, true])
  await store.clear()
  expect(await store.getMany(keys)).toEqual(keys.map(() => undefined))
  expect(await entriesOf(store.iterator())).toEqual(new Map())
  expect(await other.getMany(keys)).toEqual(keys)
})
