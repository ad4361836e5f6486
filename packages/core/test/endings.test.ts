import { eventually, manualClock, startRedis } from '@holdfast-internal/test-fixtures'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createHoldfast, type Holdfast, type HoldfastOptions, type Sessions } from '../src/index.ts'
import type { ExpiringSets } from '../src/backend/backend.ts'
import { createMarks } from '../src/session/marks.ts'
import { breakableBackend } from './breakable-backend.ts'

const open: Holdfast[] = []
afterEach(() => Promise.all(open.splice(0).map((holdfast) => holdfast.close())))

interface Process {
  readonly holdfast: Holdfast
  readonly sessions: Sessions
  readonly log: string[]
}

async function start(options: HoldfastOptions): Promise<Process> {
  const log: string[] = []
  const note = (line: string): void => void log.push(line)
  const holdfast = createHoldfast({ logger: { info: note, warn: note, error: note }, ...options })
  open.push(holdfast)
  const sessions = holdfast.sessions({
    continuity: { secrets: ['a secret of the tests, of 32 bytes and more'] },
    userId: ({ user }) => user as string | undefined,
  })
  await holdfast.ready()
  return { holdfast, sessions, log }
}

async function redisServer() {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

describe('an ending', () => {
  it('reaches every process of the fleet, and removes the record in the same step', async () => {
    const redis = await redisServer()
    const [one, other] = [await start({ redis: redis.url }), await start({ redis: redis.url })]
    await one.sessions.save('id', { user: 'ada' })
    expect((await other.sessions.load('id')).status).toBe('found')
    await one.sessions.end('id')
    await eventually(() => expect(other.sessions.isEnded('id')).toBe(true))
    expect(await redis.control.command('EXISTS', 'holdfast:session:id')).toBe(0)
  })

  it('is known to a process that starts later, for as long as the session could have lived', async () => {
    const redis = await redisServer()
    const one = await start({ redis: redis.url })
    await one.sessions.save('id', { user: 'ada' })
    await one.sessions.end('id')
    const later = await start({ redis: redis.url })
    expect(later.sessions.isEnded('id')).toBe(true)
    const left = Number(await redis.control.command('PTTL', 'holdfast:ended:holdfast:session:'))
    expect(left).toBeGreaterThan(86_000_000)
  })

  it('is put back where Redis has lost it', async () => {
    const redis = await redisServer()
    const one = await start({ redis: redis.url })
    await one.sessions.end('id')
    await redis.kill()
    await eventually(() => expect(one.holdfast.state).toBe('degraded'))
    await redis.restart({ empty: true })
    await eventually(() => expect(one.holdfast.state).toBe('healthy'))
    const later = await start({ redis: redis.url })
    expect(later.sessions.isEnded('id')).toBe(true)
  })

  it('reaches every process after an outage, too', async () => {
    const redis = await redisServer()
    const [one, other] = [await start({ redis: redis.url }), await start({ redis: redis.url })]
    for (const id of ['first', 'second']) {
      await one.sessions.save(id, { user: 'ada' })
      await redis.kill({ keepData: true })
      await eventually(() =>
        expect([one, other].map(({ holdfast }) => holdfast.state)).toEqual(['degraded', 'degraded']),
      )
      await redis.restart()
      await eventually(() =>
        expect([one, other].map(({ holdfast }) => holdfast.state)).toEqual(['healthy', 'healthy']),
      )
      await one.sessions.end(id)
      await eventually(() => expect(other.sessions.isEnded(id)).toBe(true))
    }
  })

  it('leaves sessions alone in a process that starts after Redis lost its data, where another one knows the endings', async () => {
    const redis = await redisServer()
    const one = await start({ redis: redis.url })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const token = (id: string) => {
      const from = one.sessions.begin()
      return one.sessions.tokenFor(id, { user: 'ada' }, from, () => 0)
    }
    const [kept, ended] = [token('kept'), token('ended')]
    await one.sessions.end('ended')
    await redis.control.command('FLUSHALL')
    const later = await start({ redis: redis.url })
    expect((await later.sessions.load('kept', kept)).status).toBe('found')
    expect((await later.sessions.load('ended', ended)).status).toBe('missing')
  })

  it('is not missed from before the first contact with a Redis that is empty', async () => {
    const redis = await redisServer()
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    open.push(holdfast)
    const sessions = holdfast.sessions({
      continuity: { secrets: ['a secret of the tests, of 32 bytes and more'] },
    })
    const token = sessions.tokenFor('id', { user: 'ada' }, sessions.begin(), () => 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await holdfast.ready()
    await redis.control.command('FLUSHALL')
    expect((await sessions.load('id', token)).status).toBe('found')
  })

  it('keeps a session from being restored by a process that does not hear of it', async () => {
    const redis = await redisServer()
    await redis.control.command('ACL', 'SETUSER', 'deaf', 'on', '>pass', '~*', '&*', '+@all', '-subscribe')
    const one = await start({ redis: redis.url })
    const deaf = await start({ redis: redis.url.replace('redis://', 'redis://deaf:pass@') })
    for (const [id, end] of [
      ['one', () => one.sessions.end('one')],
      ['all', () => one.sessions.endAll('ada')],
    ] as const) {
      const from = one.sessions.begin()
      await one.sessions.save(id, { user: 'ada' }, from)
      const token = one.sessions.tokenFor(id, { user: 'ada' }, from, () => 0)
      expect((await deaf.sessions.load(id, token)).status).toBe('found')
      await end()
      expect(deaf.sessions.isEnded(id)).toBe(false)
      expect((await deaf.sessions.load(id, token)).status).toBe('missing')
      expect(await redis.control.command('EXISTS', `holdfast:session:${id}`)).toBe(0)
    }
  })

  it('reaches a process that Redis takes no writes of', async () => {
    const redis = await redisServer()
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(redis.port)] })
    onTestFinished(() => replica.stop())
    await eventually(async () => expect(String(await replica.control.command('ROLE'))).toContain('connected'))
    const one = await start({ redis: redis.url })
    await one.sessions.end('before')
    const other = await start({ redis: replica.url })
    expect(other.holdfast.state).toBe('degraded')
    await eventually(() => expect(other.sessions.isEnded('before')).toBe(true))
    await one.sessions.end('later')
    await eventually(() => expect(other.sessions.isEnded('later')).toBe(true))
  })

  it('of all sessions is not said to be done where Redis did not answer', async () => {
    const redis = await redisServer()
    const one = await start({ redis: redis.url })
    await one.sessions.save('id', { user: 'ada' })
    const { holdfast, sessions } = await start({ redis: redis.url })
    redis.freeze()
    await expect(sessions.clear()).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
    redis.thaw()
    await eventually(() => expect(holdfast.state).toBe('healthy'))
    await sessions.clear()
    expect(await sessions.count()).toBe(0)
    await holdfast.close()
    await expect(sessions.clear()).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
  })

  it('is told again where it alone was not answered', async () => {
    const clock = manualClock()
    const memory = breakableBackend(clock)
    const unanswered = { isNext: false }
    const add: ExpiringSets['add'] = (set, members, also) => {
      if (!unanswered.isNext) return memory.sets!.add(set, members, also)
      unanswered.isNext = false
      return new Promise(() => {})
    }
    const backend = { ...memory, sets: { ...memory.sets!, add } }
    const holdfast = createHoldfast({ backend, clock, logger: false })
    open.push(holdfast)
    const sessions = holdfast.sessions({ rule: 'memory' })
    await clock.advance(1)
    const marks = () => memory.sets!.members('holdfast:ended:holdfast:session:', { from: 0, limit: 9 })
    const deadline = async (): Promise<void> => {
      // Others are answered meanwhile: Redis is not away.
      await sessions.load('other')
      await clock.advance(250)
    }
    await sessions.save('id', {})
    unanswered.isNext = true
    const cleared = sessions.clear().catch((error: unknown) => error)
    await clock.advance(1)
    await deadline()
    expect(await cleared).toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
    expect(await marks()).toHaveLength(1)
    await clock.advance(50)
    expect(await marks()).toHaveLength(2)
    expect(holdfast.state).toBe('healthy')
  })

  it('by handle says so where Redis is away and this process does not know whose the session is', async () => {
    const redis = await redisServer()
    const [one, other] = [await start({ redis: redis.url }), await start({ redis: redis.url })]
    await one.sessions.save('id', { user: 'ada' })
    await redis.kill()
    await eventually(() => expect(other.holdfast.state).toBe('degraded'))
    const handle = one.sessions.handleOf('id')
    await expect(other.sessions.endOne('ada', handle)).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_UNAVAILABLE',
    })
    expect(await one.sessions.endOne('ada', handle)).toBe(true)
  })

  it('does without where Redis does not allow what it takes, and says so once', async () => {
    const redis = await redisServer()
    const rules = ['-zadd', '-zscore', '-zrangebyscore', '-publish', '-subscribe']
    await redis.control.command('ACL', 'SETUSER', 'narrow', 'on', '>pass', '~*', '&*', '+@all', ...rules)
    const url = redis.url.replace('redis://', 'redis://narrow:pass@')
    const one = await start({ redis: url })
    expect(one.holdfast.state).toBe('healthy')
    await one.sessions.save('id', { user: 'ada' })
    await one.sessions.end('id')
    expect((await one.sessions.load('id')).status).toBe('missing')
    expect(await redis.control.command('EXISTS', 'holdfast:session:id')).toBe(0)
    expect(one.holdfast.state).toBe('healthy')
    expect(one.log.filter((line) => line.includes('ended sessions'))).toHaveLength(1)
  })
})

describe("a session's user", () => {
  it.each([{ id: 1 }, Promise.resolve('ada'), Number.NaN, true])(
    'is refused where it does not tell users apart: %o',
    async (user) => {
      const { sessions } = await start({ redis: 'memory' })
      const refused = { code: 'ERR_HOLDFAST_OPTION', message: expect.stringContaining('"userId"') }
      await expect(sessions.save('id', { user })).rejects.toMatchObject(refused)
      expect(sessions.tokenFor('id', { user }, sessions.begin(), () => 0)).toBeUndefined()
      await expect(sessions.endAll(user as never)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_OPTION' })
      await expect(sessions.list(undefined as never)).rejects.toMatchObject({ code: 'ERR_HOLDFAST_OPTION' })
    },
  )
})

describe('marks', () => {
  const digest = (i: number): string => String(i).padStart(22, '0')

  it('are forgotten when they may be', async () => {
    const clock = manualClock()
    const marks = createMarks({ now: clock.now, max: 10 })
    marks.mark({ of: 'session', session: digest(1), until: clock.now() + 1_000 })
    expect(marks.isEnded(digest(1))).toBe(true)
    await clock.advance(1_000)
    expect(marks.isEnded(digest(1))).toBe(false)
  })

  it('give way, the oldest first, and say from when on they are complete', async () => {
    const clock = manualClock()
    const marks = createMarks({ now: clock.now, max: 10 })
    marks.join(new Map())
    const begun = clock.now()
    for (let i = 0; i < 11; i++) {
      await clock.advance(10)
      marks.mark({ of: 'session', session: digest(i), until: clock.now() + 100_000 })
    }
    expect(marks.isEnded(digest(10))).toBe(true)
    expect(marks.isEnded(digest(0))).toBe(false)
    expect(marks.since()).toBeGreaterThan(begun)
    expect(marks.since()).toBeLessThan(clock.now() - 50)
  })

  it('pass over what is no mark', () => {
    const clock = manualClock()
    const marks = createMarks({ now: clock.now, max: 10 })
    for (const member of ['', 's', `s${'x'.repeat(500)}`, 'u1.2.3', '__proto__', `s${digest(1)}\n`]) {
      marks.learn([member, clock.now() + 1_000])
    }
    for (const until of [Number.NaN, Infinity, -1, 0]) marks.learn([`s${digest(2)}`, until])
    expect(marks.isEmpty()).toBe(true)
  })

  it('hold all sessions of a user that began before, but for one', () => {
    const clock = manualClock()
    const marks = createMarks({ now: clock.now, max: 10 })
    const before = clock.now()
    marks.mark({ of: 'user', user: digest(7), before, except: digest(1), until: before + 1_000 })
    expect(marks.isUserEnded(digest(7), digest(2), before - 1)).toBe(true)
    expect(marks.isUserEnded(digest(7), digest(1), before - 1)).toBe(false)
    expect(marks.isUserEnded(digest(7), digest(2), before + 1)).toBe(false)
    expect(marks.isUserEnded(digest(8), digest(2), before - 1)).toBe(false)
    expect(marks.userEndedBefore(digest(7))).toBeCloseTo(before, 2)
  })

  it('learn since when they are complete also from what is published', async () => {
    const clock = manualClock()
    const late = createMarks({ now: clock.now, max: 10 })
    await clock.advance(60_000)
    late.join(new Map())
    const [until, before] = [clock.now() + 1_000, Math.floor(clock.now()) - 50_000]
    expect(late.since()).toBeGreaterThan(before)
    expect(late.learn([`c${before}`, until])).toBe(false)
    expect(late.since()).toBe(before)
    expect(late.learn([`c${before + 1}`, until])).toBe(true)
    expect(late.since()).toBe(before)
  })

  it('learn from each other since when they are complete', async () => {
    const clock = manualClock()
    const witness = createMarks({ now: clock.now, max: 10 })
    witness.join(new Map())
    const since = witness.since()
    await clock.advance(60_000)
    const late = createMarks({ now: clock.now, max: 10 })
    // Redis has lost its data, and a process that knows nothing of before comes first.
    const begun = new Map(late.join(new Map()))
    expect(late.since()).toBe(clock.now())
    const restored = new Map([...begun, ...witness.join(begun)])
    expect(witness.since()).toBe(since)
    late.join(restored)
    expect(late.since()).toBe(since)
  })
})
