import { startRedis, startTlsFront, type RedisServer } from '@holdfast-internal/test-fixtures'
import { AbstractConnector, type RedisOptions } from 'ioredis'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ioredisPort } from '../src/backend/redis/ioredis.ts'
import { ownConnector } from '../src/backend/redis/one-buffer-connector.ts'
import { createRedisBackend, type RedisBackend } from '../src/backend/redis/redis.ts'
import { isReady } from './redis-support.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-socket-'))
const socket = join(folder, 'redis.sock')
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis({ args: ['--unixsocket', socket] })
})
afterAll(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

const ways: Readonly<Record<string, () => Promise<RedisOptions>>> = {
  TCP: () => Promise.resolve({ host: redis.host, port: redis.port }),
  'a UNIX socket': () => Promise.resolve({ path: socket }),
  async TLS() {
    const front = await startTlsFront(redis)
    onTestFinished(() => front.close())
    return { host: front.host, port: front.port, tls: { ca: front.certificate } }
  },
}

async function open(options: RedisOptions): Promise<RedisBackend> {
  const backend = createRedisBackend({ port: ioredisPort(options) })
  onTestFinished(() => backend.close())
  await isReady(backend)
  return backend
}

describe.each(Object.entries(ways))('one buffer for all reads, over %s', (_, optionsOf) => {
  it('gives values that later reads do not change, of any size and many at once', async () => {
    const backend = await open(await optionsOf())
    const sizes = [0, 1, 100, 4_000, 65_535, 65_536, 65_537, 300_000, 1_000_000]
    const values = sizes.map((size) => randomBytes(size))
    await Promise.all(values.map((value, i) => backend.set(`value ${i}`, value)))
    const first = await Promise.all(values.map((_value, i) => backend.get(`value ${i}`)))
    const second = await backend.getMany(values.map((_value, i) => `value ${i}`))
    for (let i = 0; i < 200; i++) await backend.set('other', randomBytes(100))
    for (const read of [first, second]) expect(read.every((value, i) => values[i]!.equals(value!))).toBe(true)
  })

  it('is back after the connection was lost', async () => {
    const backend = await open(await optionsOf())
    await backend.set('kept', Buffer.from('1'))
    await redis.control.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await isReady(backend)
    await expect.poll(() => backend.get('kept').then(String, () => 'lost')).toBe('1')
  })
})

it('tells why it does not connect, and gives up when it is closed before', async () => {
  const refused = createRedisBackend({ port: ioredisPort({ host: '127.0.0.1', port: 1 }) })
  const lost = await new Promise((resolve) =>
    refused.watch((change) => change.status === 'lost' && resolve(change.cause)),
  )
  expect(lost).toMatchObject({ code: 'ECONNREFUSED' })
  await refused.close()
  const closed = createRedisBackend({ port: ioredisPort({ host: redis.host, port: redis.port }) })
  await closed.close()
  await expect(closed.ping()).rejects.toThrow()
})

it('leaves alone what is connected in a way of its own', () => {
  expect(ownConnector({ Connector: AbstractConnector as never })).toEqual({})
  expect(ownConnector({ sentinels: [{ host: '127.0.0.1', port: 1 }] })).toEqual({})
  expect(ownConnector({ host: '127.0.0.1' })).toHaveProperty('Connector')
})
