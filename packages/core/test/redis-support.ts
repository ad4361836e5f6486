import { afterAll, beforeAll, expect } from 'vitest'
import type { ConnectionChange } from '../src/backend/backend.ts'
import type { RedisBackend } from '../src/backend/redis/redis.ts'

/** Bytes of a text. */
export const text = (value: string): Buffer => Buffer.from(value)

/** Resolves once the backend can be asked. */
export function isReady(backend: RedisBackend): Promise<void> {
  return new Promise((resolve) => {
    const stop = backend.watch((change) => {
      if (change.status !== 'ready') return
      queueMicrotask(() => stop())
      resolve()
    })
  })
}

/** Collects what a backend tells about its connection. */
export function changesOf(backend: RedisBackend): ConnectionChange[] {
  const changes: ConnectionChange[] = []
  backend.watch((change) => changes.push(change))
  return changes
}

/** Fails the suite when a rejection was left unhandled or an `error` event had no listener. */
export function watchForUnhandled(): void {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  beforeAll(() => {
    process.on('unhandledRejection', note)
    process.on('uncaughtExceptionMonitor', note)
  })
  afterAll(() => {
    process.off('unhandledRejection', note)
    process.off('uncaughtExceptionMonitor', note)
    expect(unhandled).toEqual([])
  })
}
