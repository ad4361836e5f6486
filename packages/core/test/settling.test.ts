import { manualClock, type ManualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createHoldfast, type Holdfast } from '../src/index.ts'
import { breakableBackend, type BreakableBackend } from './breakable-backend.ts'

/** How long the primary takes to answer, in ms: longer than the writes below wait for each other. */
const latency = 20

interface Far {
  readonly clock: ManualClock
  readonly backend: BreakableBackend
  readonly holdfast: Holdfast
  /** Writes every 5 ms for so long. */
  writeFor(ms: number, write: () => unknown): Promise<void>
  /** What the primary itself has under a key of a concern. */
  holds(concern: 'session' | 'cache', key: string): Promise<unknown>
}

/** A process far from its primary, in an outage. */
async function inOutage(): Promise<Far> {
  const clock = manualClock()
  const backend = breakableBackend(clock)
  const holdfast = createHoldfast({ backend, clock, logger: false })
  const beside = createHoldfast({ backend: { ...backend }, clock, logger: false })
  const seen = {
    session: beside.entries({ concern: 'session' }),
    cache: beside.entries({ concern: 'cache' }),
  }
  await clock.advance(1)
  backend.latency = latency
  backend.mode = 'failing'
  backend.tell({ status: 'lost', cause: undefined })
  return {
    clock,
    backend,
    holdfast,
    async writeFor(ms, write) {
      for (const until = clock.now() + ms; clock.now() < until; await clock.advance(5)) void write()
    },
    async holds(concern, key) {
      backend.latency = 0
      const reading = await seen[concern].get(key)
      backend.latency = latency
      return reading.status === 'found' ? reading.value : reading.status
    },
  }
}

describe('settling with a primary that is far away', () => {
  it('comes to its end while writes go on, and brings those to the primary as well', async () => {
    const { clock, backend, holdfast, writeFor, holds } = await inOutage()
    const entries = holdfast.entries({ concern: 'session' })
    let count = 0
    const write = (): unknown => entries.set(`key ${++count}`, count)
    await writeFor(500, write)
    backend.mode = 'well'
    await writeFor(1_000, write)
    expect(holdfast.state).toBe('healthy')
    await clock.advance(200)
    expect(holdfast.health().memory.journal).toBe(0)
    for (let i = 1; i <= count; i++) expect(await holds('session', `key ${i}`)).toBe(i)
  })

  it('brings what was decided while it went on to the primary, also where nothing more is decided', async () => {
    const { clock, backend, holdfast, holds } = await inOutage()
    const entries = holdfast.entries({ concern: 'session' })
    await entries.set('before', 1)
    backend.mode = 'well'
    while (holdfast.state !== 'recovering') await clock.advance(1)
    while (holdfast.state === 'recovering') {
      await entries.set('meanwhile', 2)
      await clock.advance(1)
    }
    await clock.advance(200)
    expect(await holds('session', 'meanwhile')).toBe(2)
    expect(holdfast.health().memory.journal).toBe(0)
  })

  it('stores what is written all the time, though nothing of it was stored in the outage', async () => {
    const { clock, backend, holdfast, writeFor, holds } = await inOutage()
    const entries = holdfast.entries({ concern: 'cache' })
    let count = 0
    const write = (): unknown => entries.set('hot', ++count)
    await writeFor(500, write)
    backend.mode = 'well'
    await writeFor(1_000, write)
    const last = count
    expect(holdfast.state).toBe('healthy')
    await writeFor(100, write)
    expect(await holds('cache', 'hot')).toBeGreaterThanOrEqual(last)
    await clock.advance(200)
    expect(await holds('cache', 'hot')).toBe(count)
  })

  it('leaves alone what was overruled while it went on', async () => {
    const { clock, backend, holdfast } = await inOutage()
    const cache = holdfast.cache()
    const written: boolean[] = []
    const { set } = backend
    backend.set = async (key, value, options) => {
      const outcome = await set(key, value, options)
      if (key.endsWith(':tag') && outcome.written) written.push(options?.ifAbsent ?? 'ifVersion' in options!)
      return outcome
    }
    await cache.deleteByTag('tag')
    backend.mode = 'well'
    while (holdfast.state !== 'healthy') {
      void cache.deleteByTag('tag')
      await clock.advance(1)
    }
    // What was decided last is on its way now, and meets what was settled before.
    await clock.advance(5)
    void cache.deleteByTag('tag')
    await clock.advance(500)
    expect(written.at(-1)).toBe(false)
    expect(holdfast.health().memory.journal).toBe(0)
  })

  it('goes on trying with what others keep changing', async () => {
    const { clock, backend, holdfast, holds } = await inOutage()
    const entries = holdfast.entries({ concern: 'session' })
    await entries.set('contended', 'mine')
    backend.mode = 'well'
    const theirs = createHoldfast({ backend: { ...backend }, clock, logger: false })
    for (let i = 0; i < 200; i++) {
      void theirs.entries({ concern: 'session' }).set('contended', `older ${i}`, { revision: 1 + i })
      await clock.advance(5)
    }
    expect(holdfast.state).toBe('healthy')
    await clock.advance(500)
    expect(await holds('session', 'contended')).toBe('mine')
  })

  it("brings many users' lists of sessions together, however many users come meanwhile", async () => {
    const { clock, backend, holdfast, writeFor } = await inOutage()
    const sessions = holdfast.sessions({ userId: ({ user }) => user as string })
    let count = 0
    const logIn = async (): Promise<void> => {
      const id = `session ${++count}`
      await sessions.save(id, { cookie: {}, user: `user ${count}` }, await sessions.load(id))
    }
    while (count < 500) await logIn()
    backend.mode = 'well'
    await writeFor(1_500, logIn)
    expect(holdfast.state).toBe('healthy')
    await clock.advance(500)
    backend.latency = 0
    const beside = createHoldfast({ backend: { ...backend }, clock, logger: false })
    await clock.advance(1)
    const listing = beside.sessions({ userId: ({ user }) => user as string })
    for (const user of [1, 250, 500, count]) expect(await listing.list(`user ${user}`)).toHaveLength(1)
  })
})
