import { eventually, freePort, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Cluster, Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCluster, createSentinel } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { versionOf } from '../src/backend/backend.ts'
import { redisBackendFrom, type RedisSource } from '../src/backend/redis/connect.ts'
import type { RedisBackend } from '../src/backend/redis/redis.ts'
import { slotOf } from '../src/backend/redis/slots.ts'
import { createHoldfast } from '../src/index.ts'
import { isReady, text, watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

async function open(source: RedisSource): Promise<RedisBackend> {
  const backend = redisBackendFrom(source)
  onTestFinished(() => backend.close())
  await isReady(backend)
  return backend
}

describe('a cluster of three', () => {
  const nodes: RedisServer[] = []
  beforeAll(async () => {
    for (let index = 0; index < 3; index++) {
      const bus = String(await freePort())
      const args = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '1000']
      nodes.push(await startRedis({ args }))
      const [from, to] = [
        [0, 5460],
        [5461, 10922],
        [10923, 16383],
      ][index]!
      await nodes[index]!.control.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
      await nodes[index]!.control.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
      if (index > 0)
        await nodes[0]!.control.command('CLUSTER', 'MEET', '127.0.0.1', String(nodes[index]!.port), bus)
    }
    for (const node of nodes) {
      await eventually(async () => {
        const info = String(await node.control.command('CLUSTER', 'INFO'))
        if (!/cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(info)) throw new Error(info)
      })
    }
  }, 30_000)
  afterAll(() => Promise.all(nodes.map((node) => node.stop())))

  const clients: Record<string, () => RedisSource> = {
    ioredis: () => {
      const app = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }], { keyPrefix: 'app:' })
      onTestFinished(() => app.disconnect())
      return app
    },
    'node-redis': () => createCluster({ rootNodes: [{ url: nodes[0]!.url }] }) as never,
  }

  it('is told where somebody names one node by its URL', async () => {
    const lines: string[] = []
    const note = (line: string): void => void lines.push(line)
    const logger = { info: note, warn: note, error: note }
    const holdfast = createHoldfast({ redis: nodes[0]!.url, logger })
    onTestFinished(() => holdfast.close())
    const cache = holdfast.cache()
    await holdfast.ready()
    // Some of these are of another node; the probe's key may be this one's.
    for (let index = 0; index < 30; index++) await cache.set(`k${index}`, index)
    expect(lines.join('\n')).toMatch(/\(MOVED\): this is one node of a Cluster: give an ioredis `Cluster`/)
  })

  describe.each(Object.keys(clients))('over %s', (name) => {
    it('keeps the contract across slots', async () => {
      const backend = await open(clients[name]!())
      const keys = Array.from({ length: 300 }, (_, index) => `${name}:${index}`)
      expect(new Set(keys.map((key) => Math.floor(slotOf(key) / 5461))).size).toBeGreaterThan(2)
      await Promise.all(keys.map((key) => backend.set(key, text(key), { ttl: 60_000 })))
      expect(await backend.getMany([...keys, 'absent'])).toEqual([...keys.map(text), undefined])
      expect(await backend.get(keys[7]!)).toEqual(text(keys[7]!))
      expect(await backend.getBound(keys[7]!)).toEqual(text(keys[7]!))
      expect(await backend.set(keys[7]!, text('2'), { ifVersion: versionOf(text(keys[7]!)) })).toEqual({
        written: true,
      })
      expect(await backend.touch(keys[8]!, 1_000)).toBe(true)
      expect(await backend.delete(keys[8]!)).toBe(true)
      await backend.ping()
      const found = new Set<string>()
      for await (const batch of backend.scan(`${name}:`)) for (const key of batch) found.add(key)
      expect(found).toEqual(new Set(keys.filter((key) => key !== keys[8])))
    })

    it('carries messages', async () => {
      const backend = await open(clients[name]!())
      const heard: string[] = []
      const subscription = await backend.subscribe('channel', (message) => heard.push(String(message)))
      await expect
        .poll(async () => {
          await backend.publish('channel', text('a'))
          return heard.length
        })
        .toBeGreaterThan(0)
      await subscription.close()
    })

    it('can be reset', async () => {
      const backend = await open(clients[name]!())
      backend.reset()
      backend.reset()
      await expect(backend.get('k')).rejects.toThrow()
      await isReady(backend)
      expect(await backend.get('k')).toBeUndefined()
    })
  })

  // Last: it leaves the cluster without one of its masters.
  it.each(Object.keys(clients))(
    'comes back after all its nodes did, over %s',
    { timeout: 30_000 },
    async (name) => {
      const backend = await open(clients[name]!())
      await Promise.all(nodes.map((node) => node.kill({ keepData: true })))
      await expect
        .poll(() =>
          backend.get('k').then(
            () => true,
            () => false,
          ),
        )
        .toBe(false)
      await Promise.all(nodes.map((node) => node.restart()))
      const answers = (): Promise<boolean> =>
        backend.get('k').then(
          () => true,
          () => false,
        )
      await expect.poll(answers, { timeout: 12_000 }).toBe(true)
    },
  )

  it('caches in a Cluster: every key in its slot, without a near cache', async () => {
    const client = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
    client.on('error', () => undefined)
    const holdfast = createHoldfast({ redis: client, logger: false })
    onTestFinished(async () => {
      await holdfast.close()
      client.disconnect()
    })
    // A busy machine may be late at the first connections: then it comes up degraded.
    await expect.poll(() => holdfast.state).toBe('healthy')
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
})

describe('Sentinel', () => {
  let folder: string
  let sentinelPort: number
  let sentinel: ReturnType<typeof spawn>
  let servers: RedisServer[]
  beforeAll(async () => {
    const master = await startRedis()
    servers = [master, await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] })]
    sentinelPort = await freePort()
    folder = await mkdtemp(join(tmpdir(), 'holdfast-sentinel-'))
    const config = join(folder, 'sentinel.conf')
    await writeFile(
      config,
      `port ${sentinelPort}\nsentinel monitor mymaster 127.0.0.1 ${master.port} 1\n` +
        'sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n',
    )
    sentinel = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' })
    const asked = new Redis({ port: sentinelPort })
    asked.on('error', () => undefined)
    await eventually(async () => {
      const replicas = (await asked.call('SENTINEL', 'REPLICAS', 'mymaster')) as unknown[]
      if (replicas.length !== 1) throw new Error('The Sentinel does not know the replica.')
    })
    asked.disconnect()
  }, 30_000)
  afterAll(async () => {
    sentinel.kill('SIGKILL')
    await Promise.all(servers.map((server) => server.stop()))
    await rm(folder, { recursive: true })
  })

  const clients: Record<string, () => RedisSource> = {
    ioredis: () => {
      const app = new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinelPort }], name: 'mymaster' })
      onTestFinished(() => app.disconnect())
      return app
    },
    'node-redis': () =>
      createSentinel({
        name: 'mymaster',
        sentinelRootNodes: [{ host: '127.0.0.1', port: sentinelPort }],
      }) as never,
  }

  it.each(Object.keys(clients))('finds the master, and listens on it, over %s', async (name) => {
    const backend = await open(clients[name]!())
    expect(await backend.set('k', text('1'), { ifAbsent: true }).then(() => backend.get('k'))).toEqual(
      text('1'),
    )
    const heard: string[] = []
    await backend.subscribe('channel', (message) => heard.push(String(message)))
    await backend.publish('channel', text('a'))
    await expect.poll(() => heard).toEqual(['a'])
    backend.reset()
    await isReady(backend)
    expect(await backend.getMany(['k', 'l'])).toEqual([text('1'), undefined])
  })

  it('follows a failover, and rejects at once until then', { timeout: 30_000 }, async () => {
    const names = Object.keys(clients)
    const backends = await Promise.all(names.map((name) => open(clients[name]!())))
    const [old, replica] = servers
    await old!.kill()
    for (const backend of backends) {
      await expect
        .poll(() =>
          backend.get('k').then(
            () => true,
            () => false,
          ),
        )
        .toBe(false)
    }
    await eventually(async () => expect(await replica!.control.command('ROLE')).toContain('master'), {
      within: 15_000,
    })
    for (const [index, backend] of backends.entries()) {
      const writes = (): Promise<boolean> =>
        backend.set('k', text('2')).then(
          () => true,
          () => false,
        )
      await expect.poll(writes, { timeout: 10_000, message: names[index]! }).toBe(true)
    }
  })
})
