import { manualClock, startRedis } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHoldfast } from '../src/index.ts'
import { breakableBackend } from './breakable-backend.ts'
import { watchForUnhandled } from './redis-support.ts'

watchForUnhandled()

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** A Holdfast whose connection nobody has used for a while. */
async function idle() {
  const clock = manualClock()
  const backend = breakableBackend(clock)
  const holdfast = createHoldfast({ backend, clock, logger: false })
  const transitions: string[] = []
  holdfast.on('transition', ({ to }) => transitions.push(to))
  const entries = holdfast.entries({ concern: 'session' })
  await entries.set('a', 1)
  await clock.advance(10_000)
  transitions.length = 0
  return { clock, backend, holdfast, entries, transitions }
}

describe('an idle connection that is closed', () => {
  it('is no outage where the next one comes, and calls wait for that', async () => {
    const { clock, backend, holdfast, entries, transitions } = await idle()
    backend.tell({ status: 'lost', cause: undefined })
    expect(holdfast.state).toBe('healthy')
    const { calls } = backend
    const reading = entries.get('a')
    await clock.advance(100)
    expect(backend.calls).toBe(calls)
    backend.tell({ status: 'ready' })
    await clock.advance(1)
    expect(await reading).toMatchObject({ value: 1, origin: 'primary' })
    await clock.advance(10_000)
    expect(transitions).toEqual([])
    expect(holdfast.health().counts.outages).toBe(0)
  })

  it('was idle while this process stood still, however soon after a call that began', async () => {
    const { clock, backend, holdfast, entries } = await idle()
    await entries.get('a')
    await clock.advance(5)
    clock.standStill(3_000)
    backend.tell({ status: 'lost', cause: undefined })
    expect(holdfast.state).toBe('healthy')
    await clock.advance(1_000)
    backend.tell({ status: 'ready' })
    await entries.get('a')
    await clock.advance(21)
    clock.standStill(900)
    await clock.advance(0)
    backend.tell({ status: 'lost', cause: undefined })
    expect(holdfast.state).toBe('degraded')
  })

  it('is one as soon as the next cannot be had', async () => {
    const { backend, holdfast, entries } = await idle()
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    const reading = entries.get('a')
    backend.tell({ status: 'lost', cause: refused })
    expect(holdfast.health()).toMatchObject({ state: 'degraded', fault: { code: 'ECONNREFUSED' } })
    expect(await reading).toMatchObject({ value: 1, origin: 'fallback' })
  })

  it('is one after a second without the next', async () => {
    const { clock, backend, holdfast } = await idle()
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    await clock.advance(1_000)
    expect(holdfast.state).toBe('degraded')
    backend.mode = 'well'
    backend.tell({ status: 'ready' })
    await clock.advance(1_000)
    expect(holdfast.state).toBe('healthy')
  })

  it('is one for a call that has waited its time', async () => {
    const { clock, backend, holdfast, entries } = await idle()
    backend.tell({ status: 'lost', cause: undefined })
    const reading = entries.get('a')
    await clock.advance(225)
    expect(await reading).toMatchObject({ value: 1, origin: 'fallback' })
    expect(holdfast.state).toBe('degraded')
  })

  it('was not idle with a call under way, or one a moment ago', async () => {
    const underWay = await idle()
    underWay.backend.mode = 'hanging'
    const reading = underWay.entries.get('a')
    underWay.backend.tell({ status: 'lost', cause: undefined })
    expect(underWay.holdfast.state).toBe('degraded')
    expect(await reading).toMatchObject({ origin: 'fallback' })

    const momentAgo = await idle()
    await momentAgo.entries.get('a')
    await momentAgo.clock.advance(500)
    momentAgo.backend.tell({ status: 'lost', cause: undefined })
    expect(momentAgo.holdfast.state).toBe('degraded')
  })
})

describe.each(['ioredis', 'node-redis'] as const)('an idle connection over %s', (client) => {
  async function idleFor(ms: number) {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const holdfast = createHoldfast({
      redis: client === 'ioredis' ? redis.url : createClient({ url: redis.url }),
      logger: false,
    })
    onTestFinished(() => holdfast.close())
    const entries = holdfast.entries({ concern: 'cache' })
    await holdfast.ready()
    await entries.set('a', 1)
    await pause(ms)
    const transitions: string[] = []
    holdfast.on('transition', ({ to }) => transitions.push(to))
    return { redis, holdfast, entries, transitions }
  }

  it('may be closed by the server', async () => {
    const { redis, entries, transitions } = await idleFor(1_300)
    await redis.control.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await pause(20)
    expect(await entries.get('a')).toMatchObject({ value: 1, origin: 'primary' })
    expect(transitions).toEqual([])
  })

  it('tells within a second that the server was killed, without a call', async () => {
    const { redis, holdfast } = await idleFor(1_300)
    await redis.kill()
    await expect.poll(() => holdfast.state, { timeout: 1_000 }).toBe('degraded')
  })
})
