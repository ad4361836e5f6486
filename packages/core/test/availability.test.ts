import { manualClock } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHoldfast, type HoldfastOptions } from '../src/index.ts'
import { breakableBackend, type BreakableBackend } from './breakable-backend.ts'

async function setUp(options: HoldfastOptions = {}, mode: BreakableBackend['mode'] = 'well') {
  const clock = manualClock()
  const backend = breakableBackend(clock)
  backend.mode = mode
  const lines: string[] = []
  const note = (line: string): void => void lines.push(line)
  const holdfast = createHoldfast({
    backend,
    clock,
    logger: { info: note, warn: note, error: note },
    ...options,
  })
  const transitions: string[] = []
  holdfast.on('transition', ({ to }) => transitions.push(to))
  const entries = holdfast.entries({ concern: 'session' })
  await clock.advance(1)
  return { clock, backend, holdfast, entries, lines, transitions }
}

describe('availability', () => {
  it('answers a hang at the deadline, and everything after it at once without a call', async () => {
    const { clock, backend, holdfast, entries } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'hanging'
    const first = entries.get('a')
    await clock.advance(225)
    expect(await first).toMatchObject({ status: 'found', value: 1, origin: 'fallback' })
    expect(holdfast.state).toBe('degraded')
    const { calls } = backend
    for (let i = 0; i < 100; i++) expect(await entries.get('a')).toMatchObject({ value: 1 })
    expect(backend.calls).toBe(calls)
  })

  it('lets go of everything that waits once it knows that nothing answers', async () => {
    const { clock, backend, entries } = await setUp()
    backend.mode = 'hanging'
    const first = entries.get('a')
    await clock.advance(150)
    const later = entries.get('b')
    await clock.advance(75)
    expect(await Promise.all([first, later])).toEqual([{ status: 'unknown' }, { status: 'unknown' }])
  })

  it('trips at once when the connection is reported lost', async () => {
    const { backend, holdfast, entries } = await setUp()
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    expect(holdfast.state).toBe('degraded')
    const { calls } = backend
    await entries.get('a')
    expect(backend.calls).toBe(calls)
  })

  it('goes on reading while only writes are refused, and reads its own writes', async () => {
    const { clock, backend, holdfast, entries } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'refusing writes'
    await entries.set('a', 2)
    expect(holdfast.health()).toMatchObject({ state: 'degraded', degraded: 'writes', fault: { code: 'OOM' } })
    expect(await entries.get('a')).toMatchObject({ value: 2 })
    const { calls } = backend
    expect(await entries.get('b')).toMatchObject({ status: 'missing', origin: 'primary' })
    expect(backend.calls).toBe(calls + 1)
    backend.mode = 'well'
    await clock.advance(1_000)
    expect(holdfast.state).toBe('healthy')
    expect(await entries.get('a')).toMatchObject({ value: 2, origin: 'primary' })
  })

  it('probes by itself, less and less often, and not with calls of users', async () => {
    const { clock, backend } = await setUp()
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    const { calls } = backend
    await clock.advance(10_000)
    const probes = (backend.calls - calls) / 2
    expect(probes).toBeGreaterThan(12)
    expect(probes).toBeLessThan(30)
  })

  it('drops a connection that stays silent through several probes', async () => {
    const { clock, backend } = await setUp()
    backend.mode = 'hanging'
    backend.tell({ status: 'lost', cause: undefined })
    await clock.advance(3_000)
    expect(backend.resets).toBeGreaterThan(0)
  })

  it('recovers within a second, whatever the length of the outage', async () => {
    for (const length of [50, 500, 5_000, 60_000]) {
      const { clock, backend, holdfast } = await setUp()
      backend.mode = 'failing'
      backend.tell({ status: 'lost', cause: undefined })
      await clock.advance(length)
      backend.mode = 'well'
      await clock.advance(900)
      expect(holdfast.state).toBe('healthy')
    }
  })

  it('goes through recovering, and tells each step once', async () => {
    const { clock, backend, transitions, lines } = await setUp()
    backend.mode = 'failing'
    backend.tell({
      status: 'lost',
      cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    })
    await clock.advance(5_000)
    backend.mode = 'well'
    await clock.advance(1_000)
    expect(transitions.slice(-3)).toEqual(['degraded', 'recovering', 'healthy'])
    await clock.advance(1_000)
    expect(lines.filter((line) => line.includes('degraded:'))).toEqual([
      expect.stringContaining('breakable is not available (ECONNRESET)'),
    ])
    expect(lines.filter((line) => line.includes('healthy again'))).toHaveLength(1)
  })

  it('takes a connection that comes and goes for one outage, and writes one line', async () => {
    const { clock, backend, lines, holdfast } = await setUp()
    for (let i = 0; i < 10; i++) {
      backend.tell({ status: 'lost', cause: undefined })
      await clock.advance(400)
      backend.tell({ status: 'ready' })
      await clock.advance(100)
      expect(holdfast.state).toBe('healthy')
    }
    await clock.advance(2_000)
    expect(holdfast.health().counts.outages).toBe(1)
    expect(lines.filter((line) => line.includes('degraded:'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('healthy again'))).toHaveLength(1)
  })

  it('says nothing of a start that takes its time, though calls waited in vain, unless that lasts', async () => {
    for (const [readyAfter, expected] of [
      [600, ['holdfast: healthy: breakable answers']],
      [1_500, [expect.stringContaining('degraded: breakable'), expect.stringContaining('healthy again')]],
    ] as const) {
      const { clock, backend, holdfast, entries, lines } = await setUp({}, 'hanging')
      const waited = entries.get('a')
      await clock.advance(300)
      expect(await waited).toMatchObject({ status: 'unknown' })
      expect(holdfast.state).toBe('degraded')
      await clock.advance(readyAfter - 300)
      backend.mode = 'well'
      backend.tell({ status: 'ready' })
      await clock.advance(2_000)
      expect(lines).toEqual(expected)
      expect(holdfast.health().counts.outages).toBe(expected.length - 1)
    }
  })

  it('reminds every five minutes, not more often', async () => {
    const { clock, backend, lines } = await setUp()
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    await clock.advance(16 * 60_000)
    expect(lines.filter((line) => line.includes('still degraded'))).toHaveLength(3)
  })

  it('takes a primary that cannot be settled with for one outage, and tries it less and less often', async () => {
    const { clock, backend, holdfast, transitions, lines } = await setUp()
    backend.forbidden = 'conditional set'
    backend.tell({ status: 'lost', cause: undefined })
    transitions.length = 0
    const { calls } = backend
    await clock.advance(10_000)
    expect(transitions).toEqual(['recovering', 'degraded'])
    expect(holdfast.health()).toMatchObject({ state: 'degraded', fault: { code: 'NOPERM' } })
    expect(holdfast.health().counts.outages).toBe(1)
    // An attempt is three calls: the two of the probe, and the first of settling.
    expect((backend.calls - calls) / 3).toBeLessThan(28)
    await clock.advance(60_000)
    const later = backend.calls
    await clock.advance(60_000)
    expect((backend.calls - later) / 3).toBeLessThan(17)
    backend.forbidden = undefined
    await clock.advance(10_000)
    expect(transitions.at(-1)).toBe('healthy')
    expect(lines.filter((line) => line.includes(': degraded:'))).toHaveLength(1)
  })

  it('tries seldom what can be settled with, and then refuses the first call each time', async () => {
    const { clock, backend, holdfast, entries, transitions } = await setUp()
    await clock.advance(5_000)
    transitions.length = 0
    backend.forbidden = 'getMany'
    async function callFor(ms: number): Promise<void> {
      for (let i = 0; i < ms / 50; i++) {
        void entries.getMany(['a'])
        await clock.advance(50)
      }
    }
    await callFor(20_000)
    expect(transitions.filter((to) => to === 'degraded').length).toBeLessThan(10)
    expect(holdfast.health().counts.outages).toBe(1)
    backend.forbidden = undefined
    await callFor(7_000)
    expect(holdfast.state).toBe('healthy')
  })

  it('starts without its primary, and finds it by itself', async () => {
    const { clock, backend, holdfast, entries } = await setUp({}, 'failing')
    backend.tell({ status: 'lost', cause: undefined })
    expect(holdfast.state).toBe('degraded')
    await entries.set('a', 1)
    backend.mode = 'well'
    await clock.advance(1_000)
    expect(holdfast.state).toBe('healthy')
    expect(await entries.get('a')).toMatchObject({ value: 1, origin: 'primary' })
  })

  it('asks before it answers where it stood still in an outage, and takes one silence for enough', async () => {
    const { clock, backend, holdfast, entries, transitions, lines } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'hanging'
    const lost = entries.get('a')
    await clock.advance(225)
    expect(await lost).toMatchObject({ origin: 'fallback' })

    clock.standStill(10_000)
    const away = entries.get('a')
    await clock.advance(150)
    await expect(Promise.race([away, 'waits'])).resolves.toBe('waits')
    await clock.advance(100)
    expect(await away).toMatchObject({ origin: 'fallback' })
    expect(await entries.get('a')).toMatchObject({ origin: 'fallback' })
    expect(backend.resets).toBe(1)
    expect([holdfast.state, transitions, lines.length]).toEqual(['degraded', ['healthy', 'degraded'], 2])

    backend.mode = 'well'
    clock.standStill(10_000)
    expect(await entries.get('a')).toMatchObject({ origin: 'primary' })
    expect(holdfast.state).toBe('healthy')
  })

  it('waits for the connection that comes after it stood still in an outage', async () => {
    const { clock, backend, entries } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    clock.standStill(5_000)
    const reading = entries.get('a')
    await clock.advance(50)
    backend.mode = 'well'
    backend.tell({ status: 'ready' })
    await clock.advance(0)
    expect(await reading).toMatchObject({ origin: 'primary' })
  })

  it('lets nobody wait once it is closed', async () => {
    const { clock, backend, holdfast, entries } = await setUp()
    await entries.set('a', 1)
    backend.tell({ status: 'lost', cause: undefined })
    await holdfast.close()
    clock.standStill(5_000)
    expect(await Promise.race([entries.get('a'), pause(50)])).toEqual({ status: 'unknown' })
  })

  it('lets nobody wait where it did not stand still', async () => {
    const { clock, backend, entries } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'hanging'
    backend.tell({ status: 'lost', cause: undefined })
    for (let i = 0; i < 100; i++) {
      expect(await entries.get('a')).toMatchObject({ origin: 'fallback' })
      await clock.advance(31)
    }
  })

  it('does not take its own standing still at the start for an outage', async () => {
    const { clock, backend, holdfast, transitions } = await setUp({ requireAtStart: true }, 'failing')
    clock.standStill(3_000)
    await clock.advance(1)
    expect(holdfast.state).toBe('recovering')
    backend.mode = 'well'
    backend.tell({ status: 'ready' })
    await holdfast.ready()
    expect(transitions).toEqual(['healthy'])
  })

  it('can be told to fail when its primary is not there at start', async () => {
    const { backend, holdfast } = await setUp({ requireAtStart: true }, 'failing')
    backend.tell({ status: 'lost', cause: undefined })
    await expect(holdfast.ready()).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
  })

  it('survives a logger and listeners that throw or reject', async () => {
    let failures = 0
    const fail = (): never => {
      failures++
      throw new Error('of the application')
    }
    const rejecting = (): unknown => Promise.resolve().then(fail)
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const { clock, backend, holdfast } = await setUp({
      logger: { info: fail, warn: rejecting, error: rejecting },
    })
    holdfast.on('transition', fail)
    holdfast.on('transition', rejecting)
    backend.mode = 'failing'
    backend.tell({ status: 'lost', cause: undefined })
    backend.mode = 'well'
    await clock.advance(1_000)
    expect(holdfast.state).toBe('healthy')
    expect(failures).toBeGreaterThan(6)
    expect(unhandled).toEqual([])
  })

  it('asks nothing more once it is closed, and says so', async () => {
    const { clock, backend, holdfast, entries, transitions } = await setUp()
    transitions.length = 0
    await holdfast.close()
    expect(holdfast.health()).toMatchObject({
      state: 'degraded',
      degraded: 'everything',
      fault: { code: 'CLOSED' },
    })
    expect(transitions).toEqual([])
    expect(holdfast.health().counts.outages).toBe(0)
    const { calls } = backend
    expect(await entries.get('a')).toEqual({ status: 'unknown' })
    await clock.advance(10_000)
    expect(backend.calls).toBe(calls)
    await holdfast.close()
  })
})
