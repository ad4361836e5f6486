import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectResp, freePort, startRedis } from '../src/index.ts'
import { isRunning, pause, someRedis, took } from './support.ts'

describe('a real Redis', () => {
  it('is there well under a second', async () => {
    // A machine that does other things as well may be late once.
    const times = [
      await took(() => someRedis()),
      await took(() => someRedis()),
      await took(() => someRedis()),
    ]
    expect(Math.min(...times)).toBeLessThan(300)
  })

  it('has a port and data of its own', async () => {
    const [one, two] = await Promise.all([someRedis(), someRedis()])
    expect(one.port).not.toBe(two.port)
    expect(one.url).toBe(`redis://127.0.0.1:${one.port}`)
    await one.control.command('SET', 'a', '1')
    expect(await one.control.command('GET', 'a')).toBe('1')
    expect(await two.control.command('GET', 'a')).toBeNull()
    expect(await one.control.command('CONFIG', 'GET', 'save')).toEqual(['save', ''])
    expect(await one.control.command('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no'])
  })

  it('asks for a password if wanted', async () => {
    const redis = await someRedis({ password: 'p@ss' })
    expect(redis.url).toBe(`redis://:p%40ss@127.0.0.1:${redis.port}`)
    expect(await redis.control.command('PING')).toBe('PONG')
    const stranger = connectResp(redis.port)
    onTestFinished(() => stranger.close())
    await expect(stranger.command('PING')).rejects.toThrow(/^NOAUTH/)
  })

  it('takes further arguments', async () => {
    const redis = await someRedis({ args: ['--maxmemory', '7mb'] })
    expect(await redis.control.command('CONFIG', 'GET', 'maxmemory')).toEqual([
      'maxmemory',
      String(7 * 2 ** 20),
    ])
  })

  it('says why it does not start, and leaves nothing behind', async () => {
    await expect(startRedis({ args: ['--no-such-setting', '1'] })).rejects.toThrow(/no-such-setting/)
  })

  it('does not start on a port that is taken, even if a server answers there', async () => {
    const redis = await someRedis()
    await expect(startRedis({ port: redis.port })).rejects.toThrow(/in use/)
    const other = createServer().listen(await freePort(), '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    await expect(startRedis({ port: (other.address() as { port: number }).port })).rejects.toThrow(/in use/)
  })

  it('is killed, and comes back on the same port with its data', async () => {
    const redis = await someRedis()
    const { pid, port } = redis
    await redis.control.command('SET', 'a', '1')
    await redis.kill({ keepData: true })
    expect(redis.running).toBe(false)
    expect(isRunning(pid)).toBe(false)
    await expect(redis.control.command('PING')).rejects.toThrow(/ECONNREFUSED/)
    await redis.restart()
    expect(redis).toMatchObject({ running: true, port })
    expect(redis.pid).not.toBe(pid)
    expect(await redis.control.command('GET', 'a')).toBe('1')
  })

  it('comes back empty if wanted, though it has saved', async () => {
    const redis = await someRedis()
    await redis.control.command('SET', 'a', '1')
    await redis.kill({ keepData: true })
    await redis.restart({ empty: true })
    expect(await redis.control.command('GET', 'a')).toBeNull()
  })

  it('has lost what it had not saved when it was killed', async () => {
    const redis = await someRedis()
    await redis.control.command('SET', 'a', '1')
    await redis.kill()
    await redis.restart({ args: ['--maxmemory', '7mb'] })
    expect(await redis.control.command('GET', 'a')).toBeNull()
    expect(await redis.control.command('CONFIG', 'GET', 'maxmemory')).toEqual([
      'maxmemory',
      String(7 * 2 ** 20),
    ])
  })

  it('says nothing while frozen, and answers what it was asked once thawed', async () => {
    const redis = await someRedis()
    redis.freeze()
    let answered = false
    const answer = redis.control.command('PING').finally(() => (answered = true))
    await pause(100)
    expect(answered).toBe(false)
    redis.thaw()
    expect(await answer).toBe('PONG')
  })

  it('knows that it has ended by itself', async () => {
    const redis = await someRedis()
    await redis.control.command('SHUTDOWN', 'NOSAVE').catch(() => undefined)
    await expect.poll(() => redis.running).toBe(false)
    await redis.restart()
    expect(await redis.control.command('PING')).toBe('PONG')
  })

  it('leaves nothing behind when it is stopped, frozen or not, once or twice', async () => {
    const redis = await someRedis()
    const { pid } = redis
    const [, folder] = (await redis.control.command('CONFIG', 'GET', 'dir')) as [string, string]
    expect(existsSync(folder)).toBe(true)
    redis.freeze()
    await redis.stop()
    await redis.stop()
    expect(isRunning(pid)).toBe(false)
    expect(existsSync(folder)).toBe(false)
  })
})
