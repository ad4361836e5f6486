import { manualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createHoldfast, type Found, type HoldfastEvents, type HoldfastOptions } from '../src/index.ts'
import { breakableBackend } from './breakable-backend.ts'

async function setUp(options: HoldfastOptions = {}) {
  const clock = manualClock()
  const backend = breakableBackend(clock)
  const holdfast = createHoldfast({ backend, clock, logger: false, ...options })
  const entries = holdfast.entries({ concern: 'session' })
  /** Another process, on the same data, that is never cut off. */
  const other = createHoldfast({ backend: { ...backend, ...direct(backend) }, clock, logger: false }).entries(
    {
      concern: 'session',
    },
  )
  await clock.advance(1)
  return {
    clock,
    backend,
    holdfast,
    entries,
    other,
    async cut() {
      backend.mode = 'failing'
      backend.tell({ status: 'lost', cause: undefined })
    },
    async repair() {
      backend.mode = 'well'
      await clock.advance(1_000)
      expect(holdfast.state).toBe('healthy')
    },
  }
}

function direct(backend: ReturnType<typeof breakableBackend>): object {
  const whenWell =
    <A extends unknown[], R>(method: (...args: A) => R) =>
    (...args: A): R => {
      const { mode } = backend
      backend.mode = 'well'
      try {
        return method(...args)
      } finally {
        backend.mode = mode
      }
    }
  return {
    watch: undefined,
    get: whenWell(backend.get),
    set: whenWell(backend.set),
    delete: whenWell(backend.delete),
    touch: whenWell(backend.touch),
  }
}

describe('the journal', () => {
  it('brings writes and removals to the primary before it is trusted', async () => {
    const { entries, other, cut, repair } = await setUp()
    await entries.set('kept', 1)
    await entries.set('removed', 1)
    await cut()
    await entries.set('kept', 2)
    await entries.set('new', 3)
    await entries.delete('removed')
    expect(await entries.get('removed')).toMatchObject({ status: 'missing' })
    await repair()
    expect(await other.get('kept')).toMatchObject({ value: 2 })
    expect(await other.get('new')).toMatchObject({ value: 3 })
    expect(await other.get('removed')).toMatchObject({ status: 'missing' })
  })

  it('gives way to a newer entry of the primary, and replaces an older one', async () => {
    const { clock, entries, other, cut, repair } = await setUp()
    await entries.set('a', 'before')
    await entries.set('b', 'before')
    await cut()
    await entries.set('a', 'mine, earlier')
    await clock.advance(5)
    await other.set('a', 'theirs, later')
    await other.set('b', 'theirs, earlier')
    await clock.advance(5)
    await entries.set('b', 'mine, later')
    await repair()
    expect(await entries.get('a')).toMatchObject({ value: 'theirs, later' })
    expect(await entries.get('b')).toMatchObject({ value: 'mine, later' })
  })

  it('does not bring back what was ended elsewhere meanwhile', async () => {
    const { entries, other, cut, repair } = await setUp()
    await entries.set('a', 1)
    await cut()
    const reading = (await entries.get('a')) as Found
    await entries.set('a', 2, { over: reading })
    await other.delete('a')
    await repair()
    expect(await entries.get('a')).toMatchObject({ status: 'missing' })
  })

  it('puts back what the primary lost with all its data', async () => {
    const { backend, entries, other, cut, repair } = await setUp()
    await entries.set('a', 1)
    await cut()
    await entries.set('a', 2, { over: (await entries.get('a')) as Found })
    backend.mode = 'well'
    for await (const keys of backend.scan('')) for (const key of keys) await backend.delete(key)
    await repair()
    expect(await other.get('a')).toMatchObject({ value: 2 })
  })

  it('takes a write of its own that was applied late for what it is', async () => {
    const { clock, backend, entries, other, repair } = await setUp()
    await entries.set('a', 1)
    const loaded = (await entries.get('a')) as Found
    backend.mode = 'hanging'
    const given = entries.set('a', 2, { over: loaded })
    await clock.advance(225)
    expect(await given).toMatchObject({ status: 'stored' })
    await entries.set('a', 3, { over: (await entries.get('a')) as Found })
    await backend.deliver()
    await repair()
    expect(await other.get('a')).toMatchObject({ value: 3 })
  })

  it('never lets a write that is applied late bring an ended entry back', async () => {
    const { clock, backend, entries, other, repair } = await setUp()
    await entries.set('a', 1)
    const loaded = (await entries.get('a')) as Found
    backend.mode = 'hanging'
    const given = entries.set('a', 2, { over: loaded })
    await clock.advance(225)
    await given
    await other.delete('a')
    backend.mode = 'well'
    await backend.deliver()
    await repair()
    expect(await other.get('a')).toMatchObject({ status: 'missing' })
  })

  it('settles a single failure too, though the circuit never opened', async () => {
    const { clock, backend, holdfast, entries, other } = await setUp()
    await entries.set('a', 1)
    backend.mode = 'hanging'
    const written = entries.set('a', 2)
    await clock.advance(50)
    backend.mode = 'well'
    await entries.get('b')
    await clock.advance(180)
    await written
    expect(holdfast.state).toBe('healthy')
    expect(await entries.get('a')).toMatchObject({ value: 2 })
    await clock.advance(300)
    expect(await other.get('a')).toMatchObject({ value: 2 })
    expect(holdfast.health().memory.journal).toBe(0)
  })

  it('forgets what has expired, and extends what was touched', async () => {
    const { clock, entries, other, cut, repair } = await setUp()
    await entries.set('short', 1, { ttl: 2_000 })
    await entries.set('long', 1, { ttl: 2_000 })
    await cut()
    await entries.set('short', 2, { ttl: 500 })
    await clock.advance(1_000)
    await entries.touch('long', 10_000)
    await repair()
    await clock.advance(5_000)
    expect(await other.get('short')).toMatchObject({ status: 'missing' })
    expect(await other.get('long')).toMatchObject({ value: 1 })
  })

  it('is bounded: the oldest gives way, and that is told', async () => {
    const { entries, holdfast, other, cut, repair } = await setUp({ journal: { maxEntries: 10 } })
    let dropped = 0
    holdfast.on('overflow', (event) => (dropped += event.dropped))
    await cut()
    for (let i = 0; i < 25; i++) await entries.set(`key ${i}`, i)
    expect(dropped).toBe(15)
    await repair()
    expect(await other.get('key 24')).toMatchObject({ value: 24 })
    expect(await other.get('key 0')).toMatchObject({ status: 'missing' })
    expect(holdfast.health().counts.dropped).toBe(15)
  })

  it('tells what became of it', async () => {
    const { entries, holdfast, cut, repair } = await setUp()
    const settled: HoldfastEvents['settled'][] = []
    holdfast.on('settled', (event) => settled.push(event))
    await cut()
    await entries.set('a', 1)
    await repair()
    expect(settled).toEqual([{ concern: 'session', applied: 1, superseded: 0, dataLost: false }])
  })
})

describe('rules', () => {
  it('refuse with an error that says so', async () => {
    const { holdfast, cut } = await setUp()
    const entries = holdfast.entries({ concern: 'cache', rule: 'refuse' })
    await cut()
    await expect(entries.get('a')).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE', status: 503 })
    await expect(entries.set('a', 1)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
  })

  it('bypass: know nothing while degraded, and leave nothing stale behind', async () => {
    const { holdfast, cut, repair } = await setUp()
    const entries = holdfast.entries({ concern: 'cache', rule: 'bypass' })
    await entries.set('a', 'stale')
    await cut()
    expect(await entries.get('a')).toEqual({ status: 'unknown' })
    await entries.set('a', 'fresh')
    await repair()
    expect(await entries.get('a')).toMatchObject({ status: 'missing' })
  })
})
