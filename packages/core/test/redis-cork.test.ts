import { startProxy, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { corkTurns } from '../src/backend/redis/cork.ts'
import { redisBackendFrom } from '../src/backend/redis/connect.ts'
import { ioredisPort } from '../src/backend/redis/ioredis.ts'
import { createRedisBackend } from '../src/backend/redis/redis.ts'
import { encodeCommand } from '../src/backend/redis/resp-writer.ts'
import { isReady, text } from './redis-support.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe('corkTurns', () => {
  it('sends what is written in one turn as one piece, in its order', async () => {
    const stream = new PassThrough()
    const pieces: string[] = []
    stream.on('data', (piece) => pieces.push(String(piece)))
    const write = vi.spyOn(stream, 'write')
    expect(corkTurns(stream)).toBe(true)
    stream.write('a')
    stream.write('b')
    stream.write(text('c'))
    stream.write('d')
    stream.write('e')
    await new Promise((resolve) => setImmediate(resolve))
    expect(pieces.join('')).toBe('abcde')
    expect(write).toHaveBeenCalledTimes(1)
  })

  it('lets a caller through that is alone, until a turn held more than one command', async () => {
    const stream = new PassThrough()
    const pieces: string[] = []
    stream.on('data', (piece) => pieces.push(String(piece)))
    const write = vi.spyOn(stream, 'write')
    let busy = false
    corkTurns(stream, () => busy)
    stream.write('a')
    expect(write).toHaveBeenCalledTimes(1)
    busy = true
    stream.write('b')
    stream.write('c')
    expect(write).toHaveBeenCalledTimes(1)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(write).toHaveBeenCalledTimes(2)
    busy = false
    stream.write('d')
    expect(write).toHaveBeenCalledTimes(2)
    await new Promise((resolve) => setImmediate(resolve))
    stream.write('e')
    expect(write).toHaveBeenCalledTimes(4)
    expect(pieces.join('')).toBe('abcde')
  })

  it.each([1, 3])(
    'changes nothing of %i commands in a turn that wait in a socket nobody reads',
    async (together) => {
      const server = createServer((client) => client.pause()).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      const [peer] = (await once(server, 'connection')) as [Socket]
      onTestFinished(() => {
        socket.destroy()
        peer.destroy()
        server.close()
      })
      corkTurns(socket, () => together > 1)
      const sent: Buffer[] = []
      while (sent.length < 3_000 || socket.writableLength === 0) {
        for (let i = 0; i < together; i++) {
          const value = Buffer.alloc(8_000, sent.length % 251)
          socket.write(['SET', `key ${sent.length}`, value] as never)
          sent.push(encodeCommand(['SET', `key ${sent.length}`, value]) as Buffer)
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      const expected = Buffer.concat(sent)
      const received: Buffer[] = []
      let length = 0
      peer.on('data', (chunk: Buffer) => {
        received.push(chunk)
        length += chunk.length
      })
      peer.resume()
      await expect.poll(() => length, { timeout: 10_000 }).toBe(expected.length)
      expect(Buffer.concat(received).equals(expected)).toBe(true)
    },
  )

  it('writes nothing to a stream that was ended meanwhile', async () => {
    const stream = new PassThrough()
    const errors: unknown[] = []
    stream.on('error', (error) => errors.push(error))
    corkTurns(stream)
    stream.write('a')
    stream.end()
    await new Promise((resolve) => setImmediate(resolve))
    expect(errors).toEqual([])
  })

  it.each([[undefined], [null], [{}], [{ write() {} }]])('leaves %o alone', (stream) => {
    expect(corkTurns(stream)).toBe(false)
  })
})

describe.each([[true], [false]])('a backend with cork: %s', (cork) => {
  it('answers each of many calls of one turn with its own value', async () => {
    const backend = redisBackendFrom(redis.url, { cork })
    onTestFinished(() => backend.close())
    await isReady(backend)
    const keys = Array.from({ length: 300 }, (_, index) => `key ${index} é`)
    await Promise.all(keys.map((key) => backend.set(key, text(key))))
    expect(await Promise.all(keys.map((key) => backend.get(key)))).toEqual(keys.map(text))
    const mixed = await Promise.all([backend.get(keys[0]!), backend.set('k', text('1')), backend.get('k')])
    expect(mixed).toEqual([text(keys[0]!), { written: true }, text('1')])
  })

  it('goes on after a reconnect', async () => {
    const proxy = await startProxy({ port: redis.port })
    onTestFinished(() => proxy.close())
    const backend = redisBackendFrom(proxy.url, { cork })
    onTestFinished(() => backend.close())
    await isReady(backend)
    for (let round = 0; round < 3; round++) {
      proxy.reset()
      await expect
        .poll(() =>
          backend.ping().then(
            () => true,
            () => false,
          ),
        )
        .toBe(false)
      await isReady(backend)
      await Promise.all([backend.set('a', text('1')), backend.get('a'), backend.ping()])
    }
  })
})

it('leaves the socket of an application alone', async () => {
  const app = new Redis(redis.port)
  onTestFinished(() => app.disconnect())
  const backend = redisBackendFrom(app)
  onTestFinished(() => backend.close())
  await isReady(backend)
  await app.ping()
  expect(Object.hasOwn(app.stream, 'write')).toBe(false)
})

it('writes plainly where the connection is of a foreign make', async () => {
  const { AbstractConnector } = await import('ioredis')
  const { connect } = await import('node:net')
  class Connector extends AbstractConnector {
    constructor() {
      super(100)
    }

    async connect(): Promise<never> {
      this.connecting = true
      this.stream = connect(redis.port, '127.0.0.1')
      return this.stream as never
    }
  }
  const backend = createRedisBackend({ port: ioredisPort({ Connector: Connector as never }) })
  onTestFinished(() => backend.close())
  await isReady(backend)
  await backend.set('k', text('1'))
  expect(await backend.get('k')).toEqual(text('1'))
})
