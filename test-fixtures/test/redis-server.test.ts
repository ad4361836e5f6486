import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, startRedis, type RedisServer } from '../src/index.ts'

const servers: RedisServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function start(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options)
  servers.push(server)
  return server
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a real Redis', () => {
  it('answers on a port of its own, with a password if wanted', async () => {
    const [one, two] = await Promise.all([start(), start({ password: 'p@ss' })])
    expect(one.port).not.toBe(two.port)
    await one.control.command('SET', 'a', '1')
    expect(await one.control.command('GET', 'a')).toBe('1')
    expect(await two.control.command('GET', 'a')).toBeNull()
  })

  it('is killed, and comes back with its data or without', async () => {
    const redis = await start()
    await redis.control.command('SET', 'a', '1')
    await redis.kill({ keepData: true })
    expect(redis.running).toBe(false)
    await redis.restart()
    expect(await redis.control.command('GET', 'a')).toBe('1')
    await redis.kill()
    await redis.restart({ empty: true })
    expect(await redis.control.command('GET', 'a')).toBeNull()
  })

  it('says nothing while frozen, and answers what it was asked once thawed', async () => {
    const redis = await start()
    redis.freeze()
    let answered = false
    const answer = redis.control.command('PING').then((reply) => {
      answered = true
      return reply
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(answered).toBe(false)
    redis.thaw()
    expect(await answer).toBe('PONG')
  })

  it('leaves nothing behind when it is stopped, frozen or not', async () => {
    const redis = await start()
    const { pid } = redis
    const [, folder] = (await redis.control.command('CONFIG', 'GET', 'dir')) as string[]
    redis.freeze()
    await redis.stop()
    expect(isRunning(pid)).toBe(false)
    expect(existsSync(folder!)).toBe(false)
  })

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with the process that started it: %s', async (signal) => {
    const script = `
      const { startRedis } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)})
      const redis = await startRedis()
      redis.freeze()
      console.log(redis.pid)
      setInterval(() => {}, 1000)
    `
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(isRunning(pid)).toBe(true)
    parent.kill(signal)
    await eventually(() => expect(isRunning(pid)).toBe(false))
  })
})
