import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { startRedis, type RedisOptions, type RedisServer } from '../src/index.ts'

/** A server that is stopped after the test. */
export async function someRedis(options?: RedisOptions): Promise<RedisServer> {
  const redis = await startRedis(options)
  onTestFinished(() => redis.stop())
  return redis
}

/** Whether a process is there; one that has ended and whose end nobody has asked for yet is not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

export async function took(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return performance.now() - began
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
