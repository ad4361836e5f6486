import { createHoldfast, type HoldfastOptions } from '@holdfast/core'
import { eventually, startCluster, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Cluster, Redis } from 'ioredis'
import { readFile } from 'node:fs/promises'
import { createClient, createCluster } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { KeyvHoldfast } from '../src/index.ts'
import { entriesOf } from './grounds.ts'

let redis: RedisServer
let rules: string[]
let clusterRules: string[]
let users = 0
const closing: (() => unknown)[] = []
beforeAll(async () => {
  const page = await readFile(new URL('../../../docs/redis.md', import.meta.url), 'utf8')
  rules = /^ACL SETUSER shop (.+)$/m.exec(page)![1]!.split(' ')
  clusterRules = /In a Cluster, on each node, also `(.+)`/.exec(page)![1]!.split(' ')
  redis = await startRedis()
  await redis.control.command('ACL', 'SETUSER', 'shop', ...rules)
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => redis.stop())

/** Does with Redis whatever Holdfast does with it. */
async function doEverything(source: HoldfastOptions['redis'], { isCluster = false } = {}): Promise<void> {
  const holdfast = createHoldfast({ redis: source, operationTimeout: 5_000, logger: false })
  closing.push(() => holdfast.close())
  const name = `user${++users}`
  await holdfast.ready()
  // The probe is through.
  expect(holdfast.state).toBe('healthy')

  const sessions = holdfast.sessions({
    prefix: 'sess:',
    userId: (data) => data['user'] as string,
    touchAfter: 0,
  })
  const data = { cookie: { originalMaxAge: 60_000 }, user: name, count: 1 }
  await sessions.save(`${name}-1`, data, sessions.begin())
  const loaded = await sessions.load(`${name}-1`)
  expect(loaded).toMatchObject({ status: 'found', data: { count: 1 } })
  const changed = await sessions.save(`${name}-1`, { ...data, count: 2 }, loaded)
  await sessions.touch(`${name}-1`, data, changed)
  await sessions.save(`${name}-2`, data)
  expect(await sessions.list(name)).toHaveLength(2)
  await sessions.end(`${name}-1`)
  expect(await sessions.load(`${name}-1`)).toMatchObject({ status: 'missing' })
  await sessions.endAll(name)
  await sessions.save(`${name}-3`, data)
  expect(await sessions.ids()).toContain(`${name}-3`)
  await sessions.clear()

  const cache = holdfast.cache({ near: true, ttl: '1m', grace: '1m' })
  // No connection hears of all keys of a Cluster.
  await eventually(() => expect(cache.statistics().near.isOn).toBe(!isCluster))
  expect(await cache.getOrSet('made', () => 5, { tags: ['tag'] })).toBe(5)
  expect(await cache.deleteByTag('tag')).toBe(true)
  expect(await cache.get('made')).toBeUndefined()
  expect(await cache.set('set', 1)).toBe(true)
  expect(await cache.getMany(['set', 'none'])).toEqual([1, undefined])
  expect(await cache.expire('set', 60_000)).toBe(true)
  expect(await cache.delete('set')).toBe(true)
  for await (const keys of cache.keys()) expect(keys).not.toContain('set')
  expect(await cache.clear()).toBe(true)

  const keyv = new KeyvHoldfast({ holdfast, namespace: 'shop' })
  expect(await keyv.set('foo', 'bar')).toBe(true)
  expect(await keyv.set('short', 'bar', 60_000)).toBe(true)
  expect(await entriesOf(keyv.iterator())).toEqual(
    new Map([
      ['foo', 'bar'],
      ['short', 'bar'],
    ]),
  )
  await keyv.clear()
  expect(await keyv.has('foo')).toBe(false)
  // As a connection that listens is asked whether it lives, every few seconds.
  await holdfast.backend.ping()
  expect(holdfast.health().fault).toBeUndefined()
}

/** What a Redis has refused; but for what the page says of 7.2 and later. */
async function refusedBy({ control }: RedisServer): Promise<unknown[]> {
  const log = (await control.command('ACL', 'LOG')) as unknown[][]
  return log.filter((entry) => !entry.includes('client|setinfo'))
}

const url = (): string => `redis://shop:password@127.0.0.1:${redis.port}/1`

describe('the user of docs/redis.md', () => {
  it.each<[string, () => HoldfastOptions['redis']]>([
    ['a URL', url],
    [
      'an ioredis client',
      () => {
        const client = new Redis(url())
        closing.push(() => client.disconnect())
        return client
      },
    ],
    [
      'a node-redis client',
      () => {
        const client = createClient({ url: url() })
        client.on('error', () => undefined)
        void client.connect()
        closing.push(() => client.destroy())
        return client
      },
    ],
  ])('may do all that is needed, over %s', async (_what, source) => {
    await redis.control.command('ACL', 'LOG', 'RESET')
    await doEverything(source())
    expect(await refusedBy(redis)).toEqual([])
  })

  it('may do nothing that is not needed', async () => {
    const statistics = String(await redis.control.command('INFO', 'commandstats'))
    const used = [...statistics.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name]) => `+${name}`)
    expect(rules.filter((rule) => rule.startsWith('+') && !used.includes(rule))).toEqual([])
  })

  it('may do in a Cluster what is needed there', { timeout: 60_000 }, async () => {
    const cluster = await startCluster()
    closing.push(() => cluster.stop())
    for (const { control } of cluster.nodes)
      await control.command('ACL', 'SETUSER', 'shop', ...rules, ...clusterRules)
    const nodes = cluster.masters.map(({ host, port }) => ({ host, port }))
    const user = { username: 'shop', password: 'password' }

    const ioredis = new Cluster(nodes, { redisOptions: user })
    closing.push(() => ioredis.disconnect())
    const nodeRedis = createCluster({ rootNodes: nodes.map((socket) => ({ socket })), defaults: user })
    nodeRedis.on('error', () => undefined)
    await nodeRedis.connect()
    closing.push(() => nodeRedis.destroy())

    for (const client of [ioredis, nodeRedis]) await doEverything(client, { isCluster: true })
    for (const node of cluster.nodes) expect(await refusedBy(node)).toEqual([])
  })
})
