import { manualClock } from '@holdfast-internal/test-fixtures'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHoldfast, type CacheOptions, type Holdfast } from '../src/index.ts'

const open: Holdfast[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((holdfast) => holdfast.close()))
})

/** A cache in memory, on a clock that the test moves. */
function setUp(options: CacheOptions = {}) {
  const clock = manualClock()
  const holdfast = createHoldfast({ redis: 'memory', clock, logger: false })
  open.push(holdfast)
  return { clock, holdfast, cache: holdfast.cache(options) }
}

describe('a cache', () => {
  it.each([
    ['an object', { a: [1, { b: null }] }],
    ['null', null],
    ['0', 0],
    ['false', false],
    ['an empty text', ''],
    ['a Buffer', Buffer.from([0, 255, 1])],
    ['a typed array', new Float64Array([1.5, -2])],
  ])('gives back %s', async (_, value) => {
    const { cache } = setUp()
    expect(await cache.set('key', value)).toBe(true)
    expect(await cache.get('key')).toEqual(value)
    expect(await cache.has('key')).toBe(true)
  })

  it.each([new Map([[1, 2]]), new Set([1]), /a/, new Error('a'), Promise.resolve(1)])(
    'refuses what would be stored as an empty object: %o',
    async (value) => {
      const { cache } = setUp()
      const refused = { code: 'ERR_HOLDFAST_NOT_SERIALISABLE' }
      await expect(cache.set('key', value)).rejects.toMatchObject(refused)
      expect(await cache.get('key')).toBeUndefined()
    },
  )

  it.each([
    ['a text', '5m'],
    ['a number', 5_000],
    ['null', null],
    ['an unknown name', { tll: 5 }],
  ])('refuses a policy that is none: %s', async (_, policy) => {
    const { cache } = setUp()
    const refused = { code: 'ERR_HOLDFAST_OPTION' }
    await expect(cache.set('key', 1, policy as never)).rejects.toMatchObject(refused)
    await expect(cache.getOrSet('key', () => 1, policy as never)).rejects.toMatchObject(refused)
    await expect(cache.setMany([{ key: 'key', value: 1, policy: policy as never }])).rejects.toMatchObject(
      refused,
    )
  })

  it('says how long its prefix may be', () => {
    const holdfast = createHoldfast({ redis: 'memory', logger: false })
    open.push(holdfast)
    const named = {
      code: 'ERR_HOLDFAST_OPTION',
      message: expect.stringMatching(/"prefix" must be at most 115 bytes/),
    }
    expect(() => holdfast.cache({ prefix: 'x'.repeat(116) })).toThrow(expect.objectContaining(named))
    expect(holdfast.cache({ prefix: 'x'.repeat(115) })).toBeDefined()
    expect(() => holdfast.cache({ factories: 5 as never })).toThrow(/"factories"/)
  })

  it('knows no grace that never ends, and a time limit longer than any timer', async () => {
    const { cache } = setUp()
    const named = { code: 'ERR_HOLDFAST_OPTION', message: expect.stringContaining('"grace"') }
    await expect(cache.set('key', 1, { grace: Infinity })).rejects.toMatchObject(named)
    const real = createHoldfast({ redis: 'memory', logger: false })
    open.push(real)
    expect(await real.cache().getOrSet('key', () => 1, { hardTimeout: '30d' })).toBe(1)
  })

  it('gives each caller a value of their own', async () => {
    const { cache } = setUp()
    await cache.set('key', { list: [1] })
    const factory = (): never => expect.fail('there is a value')
    const got = await Promise.all([
      ...[1, 2].map(() => cache.get<{ list: number[] }>('key')),
      ...[1, 2].map(() => cache.getOrSet<{ list: number[] }>('key', factory)),
    ])
    for (const value of got) value!.list.push(2)
    expect(await cache.get('key')).toEqual({ list: [1] })
    expect(got.map((value) => value!.list)).toEqual(got.map(() => [1, 2]))
  })

  it('serves a value for its ttl, to the millisecond', async () => {
    const { cache, clock } = setUp({ ttl: '10s' })
    await cache.set('key', 1)
    await cache.set('other', 2, { ttl: '5s' })
    await clock.advance(9_999)
    expect(await cache.getMany(['key', 'other', 'none'])).toEqual([1, undefined, undefined])
    await clock.advance(1)
    expect(await cache.get('key')).toBeUndefined()
  })

  it('takes a ttl from the value, does not store what is over, and knows no end of Infinity', async () => {
    const { cache, clock } = setUp({ ttl: (value) => (value as { ttl: number }).ttl })
    expect(await cache.set('gone', { ttl: 0 })).toBe(false)
    await cache.set('short', { ttl: 10 })
    await cache.set('endless', 1, { ttl: Infinity })
    await cache.set('endless too', { ttl: Infinity })
    await cache.set('undecided', 2, { ttl: () => undefined })
    expect((await cache.inspect('undecided'))!.freshUntil).toBe(clock.now() + 3_600_000)
    await clock.advance(11)
    expect(await cache.getMany(['gone', 'short', 'endless'])).toEqual([undefined, undefined, 1])
    await clock.advance(1e12)
    expect(await cache.get('endless')).toBe(1)
    expect(await cache.has('endless too')).toBe(true)
  })

  it('spreads the ends of entries by jitter', async () => {
    const { cache, clock } = setUp({ ttl: '100s', jitter: 0.5 })
    const ends = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        await cache.set(`${i}`, i)
        return (await cache.inspect(`${i}`))!.freshUntil - clock.now()
      }),
    )
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(50_000)
    expect(Math.max(...ends)).toBeLessThanOrEqual(100_000)
    expect(new Set(ends).size).toBeGreaterThan(40)
  })

  it('expires an entry at once, or gives it another ttl', async () => {
    const { cache, clock } = setUp({ ttl: '10s', grace: '1m' })
    await cache.set('key', 'old')
    expect(await cache.expire('key', '20s')).toBe(true)
    await clock.advance(15_000)
    expect(await cache.get('key')).toBe('old')
    expect(await cache.expire('key')).toBe(true)
    expect(await cache.get('key')).toBeUndefined()
    const down = (): never => {
      throw new Error('down')
    }
    expect(await cache.getOrSet('key', down)).toBe('old')
    expect(await cache.expire('none')).toBe(false)
    await cache.set('graceless', 1, { grace: 0 })
    expect(await cache.expire('graceless')).toBe(true)
    expect(await cache.inspect('graceless')).toBeUndefined()
  })

  it('removes one, many, all', async () => {
    const { cache, holdfast } = setUp()
    const neighbour = holdfast.cache({ prefix: 'neighbour:' })
    await neighbour.set('a', 1)
    const stored = await cache.setMany(['a', 'b', 'c', 'd'].map((key) => ({ key, value: key })))
    expect(stored).toEqual([true, true, true, true])
    expect(await cache.delete('a')).toBe(true)
    expect(await cache.delete('a')).toBe(false)
    expect(await cache.deleteMany(['b', 'none'])).toEqual([true, false])
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, 'c'])
    await cache.clear()
    expect(await cache.getMany(['c', 'd'])).toEqual([undefined, undefined])
    expect(await neighbour.get('a')).toBe(1)
    await cache.set('c', 'again')
    expect(await cache.get('c')).toBe('again')
  })

  it('invalidates by tag, and nothing else', async () => {
    const { cache } = setUp()
    await cache.set('both', 1, { tags: ['red', 'blue'] })
    await cache.set('red', 2, { tags: ['red'] })
    await cache.set('by value', { colour: 'blue' }, { tags: (value) => [value.colour] })
    await cache.set('none', 3)
    expect((await cache.inspect('both'))!.tags).toEqual(['red', 'blue'])
    expect(await cache.deleteByTag('blue')).toBe(true)
    expect(await cache.getMany(['both', 'red', 'by value', 'none'])).toEqual([undefined, 2, undefined, 3])
    await cache.set('both', 4, { tags: ['blue'] })
    expect(await cache.get('both')).toBe(4)
    await cache.deleteByTag(['red', 'blue'])
    expect(await cache.getMany(['both', 'red', 'none'])).toEqual([undefined, undefined, 3])
  })

  it('has a generation beside the tag that is called like it', async () => {
    const { cache } = setUp()
    await cache.set('a', 1)
    await cache.set('b', 2, { tags: ['*'] })
    await cache.deleteByTag('*')
    expect(await cache.getMany(['a', 'b'])).toEqual([1, undefined])
  })

  it('wraps a function', async () => {
    const { cache } = setUp()
    const fn = vi.fn<(a: number, b: string) => Promise<string>>(async (a, b) => `${a}${b}`)
    const byText = cache.wrap(fn, { key: 'fn' })
    const byArguments = cache.wrap(fn, { key: (a) => `fn ${a}`, ttl: '1m' })
    expect([await byText(1, 'x'), await byText(1, 'x'), await byText(2, 'x')]).toEqual(['1x', '1x', '2x'])
    expect(fn).toHaveBeenCalledTimes(2)
    expect([await byArguments(1, 'y'), await byArguments(1, 'z')]).toEqual(['1y', '1y'])
  })

  it.each([
    ['an empty key', (cache: Any) => cache.get(''), /key must not be empty/],
    ['a cycle', (cache: Any) => cache.set('k', cyclic()), /refers to itself/],
    ['a BigInt', (cache: Any) => cache.getOrSet('other', () => 1n), /BigInt/],
    ['a negative ttl', (cache: Any) => cache.set('k', 1, { ttl: -1 }), /"ttl".*-1/],
    ['a nonsense ttl', (cache: Any) => cache.set('k', 1, { ttl: 'soon' }), /"ttl".*"soon"/],
    ['a bad grace', (cache: Any) => cache.set('k', 1, { grace: 'x' }), /"grace"/],
    ['tags that are no list', (cache: Any) => cache.set('k', 1, { tags: 'red' as never }), /"tags"/],
    ['an empty tag', (cache: Any) => cache.deleteByTag(''), /"tags"/],
    ['too many tags', (cache: Any) => cache.set('k', 1, { tags: Array.from({ length: 65 }, String) }), /64/],
    ['tags that are a number', (cache: Any) => cache.deleteByTag(5 as never), /"tags".*"number"/],
    [
      'text for a list of keys',
      (cache: Any) => cache.getMany('ab' as never),
      /"keys" must be a list; got "string"/,
    ],
    ['text for keys to remove', (cache: Any) => cache.deleteMany('ab' as never), /"keys" must be a list/],
    ['no factory', (cache: Any) => cache.getOrSet('k', 5 as never), /"factory".*5/],
    ['no share', (cache: Any) => cache.set('k', 1, { eager: null as never }), /"eager".*null/],
    ['a grace of null', (cache: Any) => cache.set('k', 1, { grace: null as never }), /"grace".*null/],
    ['a share above 1', (cache: Any) => cache.getOrSet('k', () => 1, { eager: 2 }), /"eager".*2/],
    ['a value above the limit', (cache: Any) => cache.set('k', 'x'.repeat(9 * 1024 ** 2)), /limit/],
  ])('rejects %s with an error that says what is wrong', async (_, act, message) => {
    const { cache } = setUp()
    await cache.set('k', 'before')
    await expect(act(cache)).rejects.toThrow(message)
  })

  it.each([
    [{ ttl: 'x' }, /"ttl"/],
    [{ rule: 'none' }, /"rule".*"none"/],
    [{ prefix: 'a b' }, /"prefix"/],
    [{ near: 5 }, /"near"/],
    [{ near: { maxEntries: 0 } }, /"near.maxEntries"/],
    [{ factories: { max: 0 } }, /"factories.max"/],
    [{ quarantine: -1 }, /"quarantine"/],
    [{ lease: 1 }, /"lease"/],
  ])('refuses the option %o', (options, message) => {
    expect(() => setUp(options as CacheOptions)).toThrow(message)
  })

  it('returns what is too large to store, and tells of it', async () => {
    const { cache, holdfast } = setUp()
    const told = vi.fn<(event: object) => void>()
    holdfast.on('cache', told)
    const large = 'x'.repeat(9 * 1024 ** 2)
    expect(await cache.getOrSet('key', () => large)).toBe(large)
    expect(told).toHaveBeenCalledExactlyOnceWith({
      outcome: 'unstored',
      reason: 'ERR_HOLDFAST_VALUE_TOO_LARGE',
    })
    expect(cache.statistics().unstored).toBe(1)
  })
})

type Any = ReturnType<typeof setUp>['cache']

function cyclic(): unknown {
  const value: Record<string, unknown> = {}
  value['self'] = value
  return value
}

describe('getOrSet', () => {
  it.each([
    ['an object', { made: true }, 1],
    ['null', null, 1],
    ['undefined', undefined, 2],
  ])('makes %s once for 1,000 callers', async (_, value, callsOfTwo) => {
    const { cache, clock } = setUp()
    const factory = vi.fn<() => Promise<unknown>>(
      () => new Promise((resolve) => clock.setTimeout(() => resolve(value), 50)),
    )
    const all = Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet<unknown>('key', factory)))
    await clock.advance(50)
    expect(new Set(await all)).toEqual(new Set([value]))
    expect(factory).toHaveBeenCalledTimes(1)
    const again = cache.getOrSet('key', factory)
    await clock.advance(50)
    expect(await again).toEqual(value)
    expect(factory).toHaveBeenCalledTimes(callsOfTwo)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('db')
      },
    ],
    ['rejects', () => Promise.reject(new Error('db'))],
  ])(
    'rejects 1,000 callers at once where the factory %s, and asks it again the next time',
    async (_, failing) => {
      const { cache } = setUp()
      const factory = vi.fn<() => Promise<number>>(failing as () => Promise<number>)
      const all = await Promise.allSettled(
        Array.from({ length: 1_000 }, () => cache.getOrSet('key', factory)),
      )
      expect(all.every((one) => one.status === 'rejected' && (one.reason as Error).message === 'db')).toBe(
        true,
      )
      expect(factory).toHaveBeenCalledTimes(1)
      expect(await cache.getOrSet('key', () => 5)).toBe(5)
    },
  )

  it('remembers that there is nothing, where asked to', async () => {
    const { cache, clock } = setUp({ negative: '5s' })
    const factory = vi.fn<() => undefined>(() => undefined)
    await cache.getOrSet('key', factory)
    await cache.getOrSet('key', factory)
    expect(factory).toHaveBeenCalledTimes(1)
    expect(await cache.get('key')).toBeUndefined()
    await clock.advance(5_000)
    await cache.getOrSet('key', factory)
    expect(factory).toHaveBeenCalledTimes(2)
  })

  it('serves what is in its grace where the factory fails, until the grace is over', async () => {
    const { cache, clock, holdfast } = setUp({ ttl: '1s', grace: '10s' })
    const told = vi.fn<(event: object) => void>()
    holdfast.on('cache', told)
    await cache.set('key', 'old')
    await clock.advance(1_000)
    const down = (): never => {
      throw new Error('down')
    }
    expect(await cache.get('key')).toBeUndefined()
    expect(await cache.getOrSet('key', down)).toBe('old')
    expect(told).toHaveBeenCalledWith({ outcome: 'stale', reason: 'the factory failed' })
    await clock.advance(10_000)
    await expect(cache.getOrSet('key', down)).rejects.toThrow('down')
  })

  it('serves what is in its grace after the soft timeout, and lets the factory finish', async () => {
    const { cache, clock } = setUp({ ttl: '1s', grace: '10s', softTimeout: 100 })
    await cache.set('key', 'old')
    await clock.advance(1_000)
    const contexts: { stale: unknown }[] = []
    const factory = vi.fn<(context: { stale: unknown }) => Promise<string>>((context) => {
      contexts.push(context)
      return new Promise<string>((resolve) => clock.setTimeout(() => resolve('new'), 300))
    })
    const soon = cache.getOrSet('key', factory)
    await clock.advance(100)
    expect(await soon).toBe('old')
    expect(contexts[0]!.stale).toBe('old')
    await clock.advance(200)
    expect(await cache.get('key')).toBe('new')
    expect(factory).toHaveBeenCalledTimes(1)
    expect(cache.statistics().hits.stale).toBe(1)
  })

  it('aborts the factory after the hard timeout', async () => {
    const { cache, clock } = setUp({ hardTimeout: 500 })
    let signal: AbortSignal | undefined
    const never = cache.getOrSet('key', (context) => {
      signal = context.signal
      return new Promise<number>(() => {})
    })
    const caught = never.catch((error: unknown) => error)
    await clock.advance(500)
    expect(await caught).toMatchObject({ code: 'ERR_HOLDFAST_FACTORY_TIMEOUT', status: 503 })
    expect(signal!.aborted).toBe(true)
    expect(cache.statistics().factories).toMatchObject({ calls: 1, timeouts: 1, errors: 0 })
    expect(await cache.getOrSet('key', () => 1)).toBe(1)
  })

  it('aborts factories when the Holdfast is closed', async () => {
    const { cache, holdfast } = setUp()
    const [running, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()]
    void cache.getOrSet('key', ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason))
      running.resolve()
      return new Promise<number>(() => {})
    })
    await running.promise
    await holdfast.close()
    expect(await aborted.promise).toMatchObject({ code: 'ERR_HOLDFAST_CLOSED' })
  })

  it('refreshes ahead of the end, in the background and once', async () => {
    const { cache, clock } = setUp({ ttl: '10s', eager: 0.8 })
    const values = ['one', 'two', 'three']
    const factory = vi.fn<() => string>(() => values.shift()!)
    await cache.getOrSet('key', factory)
    await clock.advance(7_900)
    expect(await cache.getOrSet('key', factory)).toBe('one')
    expect(factory).toHaveBeenCalledTimes(1)
    await clock.advance(200)
    const both = await Promise.all([cache.getOrSet('key', factory), cache.getOrSet('key', factory)])
    expect(both).toEqual(['one', 'one'])
    await clock.advance(0)
    expect(factory).toHaveBeenCalledTimes(2)
    await clock.advance(5_000)
    expect(await cache.getOrSet('key', factory)).toBe('two')
  })

  it('does not store what was made before the entry was removed, its tag or everything invalidated', async () => {
    for (const act of ['delete', 'set', 'deleteByTag', 'clear'] as const) {
      const { cache, clock } = setUp()
      const slow = cache.getOrSet(
        'key',
        () => new Promise<string>((resolve) => clock.setTimeout(() => resolve('from before'), 100)),
        { tags: ['tag'] },
      )
      await clock.advance(50)
      if (act === 'delete') await cache.delete('key')
      else if (act === 'set') await cache.set('key', 'after')
      else if (act === 'deleteByTag') await cache.deleteByTag('tag')
      else await cache.clear()
      await clock.advance(100)
      expect(await slow).toBe('from before')
      expect(await cache.get('key')).toBe(act === 'set' ? 'after' : undefined)
    }
  })
})

describe('a near cache', () => {
  it('serves without asking, frozen, and what nobody can change', async () => {
    const { cache, holdfast } = setUp({ near: true })
    await cache.set('key', { list: [{ a: 1 }] })
    await cache.get('key')
    const asked = vi.spyOn(holdfast.backend, 'get')
    const near = await cache.get<{ list: { a: number }[] }>('key')
    expect(asked).not.toHaveBeenCalled()
    expect(() => near!.list.push({ a: 2 })).toThrow(TypeError)
    expect(() => (near!.list[0]!.a = 2)).toThrow(TypeError)
    expect(await cache.getOrSet('key', () => 0)).toEqual({ list: [{ a: 1 }] })
    expect(cache.statistics().hits.near).toBe(2)
  })

  it('hands out bytes as copies', async () => {
    const { cache } = setUp({ near: true })
    for (const value of [Buffer.from('abc'), new Uint8Array([97]), new DataView(new ArrayBuffer(2))]) {
      await cache.set('key', value)
      const [first, second] = [await cache.get<typeof value>('key'), await cache.get<typeof value>('key')]
      new Uint8Array(second!.buffer, second!.byteOffset, second!.byteLength).fill(0xff)
      expect(await cache.get('key')).toEqual(value)
      expect(first).toEqual(value)
    }
  })

  it('gives what the factory made frozen, and leaves the object of the factory alone', async () => {
    const { cache } = setUp({ near: true })
    const own = { a: 1 }
    const made = await cache.getOrSet('key', () => own)
    expect(made).toEqual(own)
    expect(Object.isFrozen(made)).toBe(true)
    expect(Object.isFrozen(own)).toBe(false)
  })

  it('keeps to ttl, removals, tags, clear and its own bounds', async () => {
    const { cache, clock } = setUp({ near: { maxEntries: 2, maxAge: '1m' }, ttl: '10s' })
    const read = async (): Promise<unknown[]> => [
      await cache.get('a'),
      await cache.get('b'),
      await cache.get('c'),
    ]
    for (const key of ['a', 'b', 'c']) await cache.set(key, key, { tags: [key] })
    await read()
    expect(cache.statistics().near).toMatchObject({ entries: 2, isOn: true })
    await cache.deleteByTag('c')
    expect(await read()).toEqual(['a', 'b', undefined])
    await cache.delete('b')
    expect(await read()).toEqual(['a', undefined, undefined])
    await cache.set('a', 'new')
    expect(await read()).toEqual(['new', undefined, undefined])
    await read()
    await clock.advance(10_000)
    expect(await read()).toEqual([undefined, undefined, undefined])
    await cache.set('a', 1)
    await read()
    await cache.clear()
    expect(await read()).toEqual([undefined, undefined, undefined])
  })
})
