import { afterEach, expect, it, vi } from 'vitest'
import { createHoldfast } from '../src/index.ts'

afterEach(() => void vi.useRealTimers())

// As jest does, which replaces `queueMicrotask`, too.
const all = [
  'Date',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'setImmediate',

  'queueMicrotask',
] as const

it('goes by the time that a test of an application makes up', async () => {
  vi.useFakeTimers({ toFake: [...all] })
  const holdfast = createHoldfast({ redis: 'memory' })
  const cache = holdfast.cache({ ttl: '1m' })
  await holdfast.ready()
  await cache.set('key', 'value')
  vi.advanceTimersByTime(59_999)
  expect(await cache.get('key')).toBe('value')
  vi.advanceTimersByTime(1)
  expect(await cache.get('key')).toBeUndefined()
  expect(await cache.getOrSet('key', () => 'made')).toBe('made')
  await holdfast.close()
})
