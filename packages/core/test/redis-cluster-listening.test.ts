import { eventually, startCluster, type Cluster, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Cluster as IoredisCluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisBackendFrom, type RedisSource } from '../src/backend/redis/connect.ts'
import { dialectOf, type NodeRedisSource } from '../src/backend/redis/node-redis-dialect.ts'
import type { RedisBackend } from '../src/backend/redis/redis.ts'
import { slotOf } from '../src/backend/redis/slots.ts'
import { isReady, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 30_000)
afterAll(() => cluster.stop())

const sources: Record<string, () => RedisSource> = {
  ioredis: () => {
    const app = new IoredisCluster([{ host: '127.0.0.1', port: cluster.masters[0]!.port }])
    app.on('error', () => undefined)
    onTestFinished(() => app.disconnect())
    return app
  },
  'node-redis': () => createCluster({ rootNodes: [{ url: cluster.masters[0]!.url }] }) as never,
}

/** Listens on a channel; `told` is what it was told by, in order. */
async function listen(source: string): Promise<{ backend: RedisBackend; told: string[] }> {
  const backend = redisBackendFrom(sources[source]!())
  onTestFinished(() => backend.close())
  await isReady(backend)
  const told: string[] = []
  await backend.subscribe('channel', (message) => told.push(String(message)), {
    onGap: () => void told.push('gap'),
    onLost: () => void told.push('lost'),
  })
  return { backend, told }
}

describe.each(Object.keys(sources))('what listens in a Cluster over %s', (name) => {
  it('tells that it was deaf when its connection is lost', async () => {
    const { backend, told } = await listen(name)
    await Promise.all(cluster.nodes.map(endListening))
    await eventually(() => expect(told).toEqual(['lost', 'gap']))
    await backend.publish('channel', Buffer.from('message'))
    await eventually(() => expect(told).toEqual(['lost', 'gap', 'message']))
  })
})

// Last: it leaves the cluster with a node less each.
describe('a node that leaves a Cluster and lives on', () => {
  it('is not listened on any more by ioredis', async () => {
    const { backend, told } = await listen('ioredis')
    const [leaving] = await listenedOn()
    const stays = await takeOut(leaving!, (key) => backend.get(key))
    await eventually(() => expect(told).toEqual(['lost', 'gap']))
    await stays.control.command('PUBLISH', 'channel', 'message')
    await eventually(() => expect(told).toEqual(['lost', 'gap', 'message']))
  })

  it('is noticed by the heartbeat of node-redis', async () => {
    const dialect = dialectOf(
      createCluster({ rootNodes: [{ url: left()[0]!.url }] }) as never as NodeRedisSource,
    )
    const [commands, listening] = [dialect.duplicate(), dialect.duplicate()]
    for (const client of [commands, listening]) {
      client.on('error', () => undefined)
      await dialect.connect(client)
      onTestFinished(() => void client.destroy())
    }
    await listening.subscribe('channel', () => undefined, true)
    await dialect.pingListening(listening, commands)
    const [leaving] = await listenedOn()
    await takeOut(leaving!, (key) => dialect.send(commands, ['GET', key], key))
    await expect(dialect.pingListening(listening, commands)).rejects.toThrow('left the cluster')
  })
})

const gone = new Set<RedisServer>()

function left(): RedisServer[] {
  return cluster.nodes.filter((node) => !gone.has(node))
}

async function listenedOn(): Promise<RedisServer[]> {
  const lists = await Promise.all(
    left().map(async (node) => String(await node.control.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))),
  )
  return left().filter((_, i) => lists[i] !== '')
}

/** Gives the slots of a node to another one, which is returned, and lets it leave once those who ask have found out. */
async function takeOut(leaving: RedisServer, ask: (key: string) => Promise<unknown>): Promise<RedisServer> {
  const id = String(await leaving.control.command('CLUSTER', 'MYID'))
  const mine = String(await leaving.control.command('CLUSTER', 'NODES'))
    .split('\n')
    .find((line) => line.includes('myself'))!
  const ranges = mine
    .split(' ')
    .slice(8)
    .map((range) => range.split('-').map(Number))
  const keys = Array.from({ length: 500 }, (_, i) => `key ${i}`)
  const own = keys.filter((key) => ranges.some(([from, to]) => slotOf(key) >= from! && slotOf(key) <= to!))
  gone.add(leaving)
  const [heir] = left()
  const slots = ranges.flat().map(String)
  await leaving.control.command('CLUSTER', 'DELSLOTSRANGE', ...slots)
  for (const { control } of left()) await control.command('CLUSTER', 'DELSLOTSRANGE', ...slots)
  await heir!.control.command('CLUSTER', 'ADDSLOTSRANGE', ...slots)
  await heir!.control.command('CLUSTER', 'BUMPEPOCH')
  await eventually(() => ask(own[0]!))
  await eventually(async () => {
    await ask(own[0]!)
    for (const { control } of left())
      expect(String(await control.command('CLUSTER', 'INFO'))).toContain('cluster_state:ok')
  })
  for (const { control } of left()) await control.command('CLUSTER', 'FORGET', id)
  await leaving.control.command('CLUSTER', 'RESET')
  return heir!
}

async function endListening({ control }: RedisServer): Promise<void> {
  await control.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
}
