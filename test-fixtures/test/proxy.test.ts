import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { connectResp, startProxy, type Proxy, type RedisServer, type RespClient } from '../src/index.ts'
import { pause, someRedis, took } from './support.ts'

let redis: RedisServer
let proxy: Proxy
let client: RespClient

beforeEach(async () => {
  redis = await someRedis()
  proxy = await startProxy({ port: redis.port })
  onTestFinished(() => proxy.close())
  client = anotherClient()
  await client.command('SET', 'a', '1')
})

function anotherClient(): RespClient {
  const another = connectResp(proxy.port)
  onTestFinished(() => another.close())
  return another
}

async function rawSocket(): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  // It has passed through to the server once it has answered.
  socket.write('PING\r\n')
  await once(socket, 'data')
  return socket
}

/** Whether a promise is still open after a while. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false,
  )
  return Promise.race([settled, pause(60).then(() => true)])
}

const inRedis = () => redis.control.command('GET', 'a')

describe('a proxy', () => {
  it('passes what it is given, and counts its clients', async () => {
    expect(await client.command('GET', 'a')).toBe('1')
    expect(proxy.url).toBe(`redis://127.0.0.1:${proxy.port}`)
    expect(proxy.connections).toBe(1)
    client.close()
    await expect.poll(() => proxy.connections).toBe(0)
  })

  it('passes what a client sends just before it goes', async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end('SET a parting\r\n')
    await expect.poll(inRedis).toBe('parting')
  })

  it('passes on that the server has gone', async () => {
    const lost = client.command('BLPOP', 'none', '0')
    expect(await isOpen(lost)).toBe(true)
    await redis.kill()
    await expect(lost).rejects.toThrow()
    await expect(client.command('PING')).rejects.toThrow(/ECONNRESET|closed/)
    await redis.restart()
    expect(await client.command('PING')).toBe('PONG')
  })

  it('resets connections once', async () => {
    const lost = client.command('BLPOP', 'none', '0')
    proxy.reset()
    await expect(lost).rejects.toThrow('ECONNRESET')
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('refuses connections until it is restored, on the same port', async () => {
    const lost = client.command('BLPOP', 'none', '0')
    const refused = proxy.refuse()
    await expect(lost).rejects.toThrow('ECONNRESET')
    await refused
    await expect(client.command('GET', 'a')).rejects.toThrow('ECONNREFUSED')
    await proxy.restore()
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('gets its port back from whoever has taken it for a while', async () => {
    await proxy.refuse()
    const other = createServer().listen(proxy.port, '127.0.0.1')
    await once(other, 'listening')
    setTimeout(() => other.close(), 60)
    await proxy.restore()
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('cuts each connection until it is restored', async () => {
    const lost = client.command('BLPOP', 'none', '0')
    proxy.cut()
    await expect(lost).rejects.toThrow('ECONNRESET')
    for (let i = 0; i < 3; i++) await expect(client.command('GET', 'a')).rejects.toThrow(/ECONNRESET|EPIPE/)
    await proxy.restore()
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('ends connections in the orderly way', async () => {
    const socket = await rawSocket()
    const ended = once(socket, 'end')
    proxy.fin()
    socket.resume()
    await ended
    await expect.poll(() => redis.control.command('CLIENT', 'LIST')).not.toContain('cmd=ping')
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('ends the direction to the client only', async () => {
    const socket = await rawSocket()
    const ended = once(socket, 'end')
    proxy.halfClose()
    socket.resume()
    await ended
    socket.write('SET a one-way\r\n')
    await expect.poll(inRedis).toBe('one-way')
  })

  it('swallows what it is given, and resets those connections when it is lifted', async () => {
    const idle = anotherClient()
    await idle.command('PING')
    proxy.blackhole()
    const lost = client.command('SET', 'a', 'swallowed')
    expect(await isOpen(lost)).toBe(true)
    await proxy.restore()
    await expect(lost).rejects.toThrow('ECONNRESET')
    expect(await client.command('GET', 'a')).toBe('1')
    // Nothing of this one was lost.
    const [, id] = /id=(\d+)/.exec(String(await idle.command('CLIENT', 'INFO')))!
    expect(await redis.control.command('CLIENT', 'LIST', 'ID', id!)).toContain('cmd=client|info')
  })

  it('swallows replies under way, new connections and the end of the server', async () => {
    const waiting = client.command('BLPOP', 'list', '0')
    expect(await isOpen(waiting)).toBe(true)
    proxy.blackhole()
    await redis.control.command('RPUSH', 'list', 'x')
    const late = anotherClient().command('PING')
    await redis.kill()
    expect(await isOpen(waiting)).toBe(true)
    expect(await isOpen(late)).toBe(true)
    await redis.restart()
    await proxy.restore()
    await expect(waiting).rejects.toThrow('ECONNRESET')
    await expect(late).rejects.toThrow('ECONNRESET')
  })

  it('delays each way, in order', async () => {
    proxy.delay(40, 15)
    const replies = Array.from({ length: 20 }, (_, i) =>
      client.command('INCR', `n`).then((reply) => [i + 1, reply]),
    )
    const time = await took(() => Promise.all(replies))
    for (const [i, reply] of await Promise.all(replies)) expect(reply).toBe(i)
    expect(time).toBeGreaterThan(50)
    expect(await took(() => client.command('PING'))).toBeGreaterThan(48)
  })

  it('lets go of what is delayed once it is restored', async () => {
    proxy.delay(60_000)
    const late = client.command('GET', 'a')
    expect(await isOpen(late)).toBe(true)
    await proxy.restore()
    expect(await late).toBe('1')
  })

  it('throttles', async () => {
    await client.command('SET', 'large', 'x'.repeat(2_000))
    proxy.throttle(10_000)
    let reply: unknown
    expect(await took(async () => (reply = await client.command('GET', 'large')))).toBeGreaterThan(150)
    expect(reply).toBe('x'.repeat(2_000))
    await proxy.restore()
    expect(await took(() => client.command('GET', 'large'))).toBeLessThan(150)
  })

  it('injects bytes as if the server had sent them', async () => {
    proxy.garble(Buffer.from('+STRAY\r\n'))
    const [first, second] = await Promise.all([client.command('GET', 'a'), client.command('GET', 'none')])
    expect([first, second]).toEqual(['STRAY', '1'])
  })

  it('holds what clients send, and delivers it later in order', async () => {
    proxy.hold()
    const held = [client.command('SET', 'a', 'held'), client.command('APPEND', 'a', ', then more')]
    expect(await isOpen(Promise.all(held))).toBe(true)
    expect(await inRedis()).toBe('1')
    await proxy.release()
    expect(await Promise.all(held)).toEqual(['OK', 15])
    expect(await inRedis()).toBe('held, then more')
  })

  it.each(['release', 'restore'] as const)(
    'delivers what it held even of clients that have gone: %s',
    async (how) => {
      proxy.hold()
      const given = client.command('SET', 'a', 'late')
      expect(await isOpen(given)).toBe(true)
      client.close()
      await expect(given).rejects.toThrow()
      await redis.control.command('SET', 'a', 'newer')
      await proxy[how]()
      await expect.poll(inRedis).toBe('late')
    },
  )

  it('loses what it held of connections that it resets', async () => {
    proxy.hold()
    const given = client.command('SET', 'a', 'lost')
    expect(await isOpen(given)).toBe(true)
    proxy.reset()
    await expect(given).rejects.toThrow('ECONNRESET')
    await proxy.release()
    await client.command('PING')
    expect(await inRedis()).toBe('1')
  })

  it('is gone when it is closed', async () => {
    await proxy.close()
    await proxy.close()
    await expect(connectResp(proxy.port).command('PING')).rejects.toThrow('ECONNREFUSED')
  })
})
