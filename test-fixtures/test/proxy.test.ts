import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectResp, eventually, startProxy, startRedis, type Proxy, type RedisServer, type RespClient } from '../src/index.ts'

let redis: RedisServer
let proxy: Proxy
let client: RespClient

beforeEach(async () => {
  redis = await startRedis()
  proxy = await startProxy({ port: redis.port })
  client = connectResp(proxy.port)
  await client.command('SET', 'a', '1')
})

afterEach(async () => {
  client.close()
  await proxy.close()
  await redis.stop()
})

const within = <T>(ms: number, promise: Promise<T>): Promise<T | 'nothing'> =>
  Promise.race([promise, new Promise<'nothing'>((resolve) => setTimeout(resolve, ms, 'nothing'))])

const socketTo = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

describe('a proxy', () => {
  it('passes what it is given', async () => {
    expect(await client.command('GET', 'a')).toBe('1')
    expect(proxy.connections).toBe(1)
  })

  it('resets connections once', async () => {
    const lost = client.command('BLPOP', 'none', '0')
    proxy.reset()
    await expect(lost).rejects.toThrow()
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('refuses connections until it is restored, on the same port', async () => {
    const { port } = proxy
    await proxy.refuse()
    await expect(client.command('GET', 'a')).rejects.toThrow()
    await expect(client.command('GET', 'a')).rejects.toThrow(/ECONNREFUSED/)
    await proxy.restore()
    expect(proxy.port).toBe(port)
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('swallows what it is given, and resets those connections when it is lifted', async () => {
    proxy.blackhole()
    const lost = client.command('GET', 'a')
    expect(await within(100, lost.catch(() => 'reset'))).toBe('nothing')
    await proxy.restore()
    await expect(lost).rejects.toThrow()
    expect(await client.command('GET', 'a')).toBe('1')
  })

  it('delays in order', async () => {
    proxy.delay(60)
    const began = performance.now()
    const replies = await Promise.all([client.command('SET', 'a', '2'), client.command('GET', 'a')])
    expect(replies).toEqual(['OK', '2'])
    expect(performance.now() - began).toBeGreaterThan(110)
  })

  it('throttles', async () => {
    await client.command('SET', 'large', 'x'.repeat(2_000))
    proxy.throttle(10_000)
    const began = performance.now()
    expect(await client.command('GET', 'large')).toHaveLength(2_000)
    expect(performance.now() - began).toBeGreaterThan(150)
  })

  it('holds what clients send, and delivers it later even if they have gone', async () => {
    proxy.hold()
    const given = client.command('SET', 'a', 'late')
    expect(await within(50, given)).toBe('nothing')
    given.catch(() => {})
    client.close()
    expect(await redis.control.command('GET', 'a')).toBe('1')
    await proxy.release()
    await eventually(async () => expect(await redis.control.command('GET', 'a')).toBe('late'))
  })

  it('injects bytes as if the server had sent them', async () => {
    proxy.garble(Buffer.from('+STRAY\r\n'))
    expect(await client.command('GET', 'a')).toBe('STRAY')
  })

  it.each(['fin', 'halfClose'] as const)('ends connections in the orderly way: %s', async (how) => {
    const socket = await socketTo(proxy.port)
    const ended = once(socket, 'end')
    await eventually(() => expect(proxy.connections).toBe(2))
    socket.resume()
    proxy[how]()
    await ended
    socket.destroy()
  })
})
