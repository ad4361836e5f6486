import { describe, expect, it } from 'vitest'
import { cookieTtl, createTtlPolicy, touchDue, type TtlOptions } from '../src/ttl.ts'

const now = 1_700_000_000_000
const day = 86_400_000

describe('cookieTtl', () => {
  it.each([
    ['a Date', new Date(now + 5000)],
    ['a string', new Date(now + 5000).toISOString()],
    ['a number', now + 5000],
  ])('reads expires as %s', (_, expires) => {
    expect(cookieTtl({ expires }, now)).toBe(5000)
  })

  it('takes expires before maxAge, and that before originalMaxAge', () => {
    expect(cookieTtl({ expires: now + 1, maxAge: 2, originalMaxAge: 3 }, now)).toBe(1)
    expect(cookieTtl({ maxAge: 2, originalMaxAge: 3 }, now)).toBe(2)
    expect(cookieTtl({ originalMaxAge: 3 }, now)).toBe(3)
  })

  it('is 0 or less for a cookie that is over', () => {
    expect(cookieTtl({ expires: now - 1000 }, now)).toBe(-1000)
    expect(cookieTtl({ expires: now, maxAge: 5000 }, now)).toBe(0)
    expect(cookieTtl({ maxAge: 0, originalMaxAge: 5 }, now)).toBe(0)
  })

  it.each([{}, { expires: null }, { expires: false, maxAge: null, originalMaxAge: null }, { expires: true }])(
    'is undefined for a cookie that lives as long as the browser: %j',
    (cookie) => {
      expect(cookieTtl(cookie, now)).toBeUndefined()
    },
  )

  it.each([new Date(Number.NaN), 'tomorrow', Number.NaN, Infinity])(
    'goes past an invalid date: %s',
    (expires) => {
      expect(cookieTtl({ expires }, now)).toBeUndefined()
      expect(cookieTtl({ expires, maxAge: 7 }, now)).toBe(7)
    },
  )

  it.each([Number.NaN, Infinity, '5'])('goes past a maxAge of %j', (maxAge) => {
    expect(cookieTtl({ maxAge }, now)).toBeUndefined()
  })
})

describe('a ttl policy', () => {
  const ttlFor = (options: TtlOptions, at: object = {}): number =>
    createTtlPolicy(options).ttlFor({}, { now, ...at })

  it('is a day by default, and its own default where it is given one', () => {
    expect(ttlFor({})).toBe(day)
    expect(createTtlPolicy({}, { ttl: 1000 }).ttlFor({}, { now })).toBe(1000)
  })

  it('reads durations', () => {
    expect(ttlFor({ ttl: '5m' })).toBe(300_000)
    expect(ttlFor({ ttl: 1 })).toBe(1)
  })

  it('takes a function before the cookie, and the cookie before a duration', () => {
    const cookie = { expires: now + 2000 }
    expect(ttlFor({ ttl: () => 1000 }, { cookie })).toBe(1000)
    expect(ttlFor({ ttl: () => '3s' }, { cookie })).toBe(3000)
    expect(ttlFor({ ttl: 5000 }, { cookie })).toBe(2000)
    expect(ttlFor({}, { cookie })).toBe(2000)
    expect(ttlFor({ ttl: 5000 }, { cookie: {} })).toBe(5000)
    expect(ttlFor({ ttl: 5000 }, { cookie: null })).toBe(5000)
  })

  it('goes on to the cookie and then the default where a function has no opinion', () => {
    const ttl = (): undefined => undefined
    expect(ttlFor({ ttl }, { cookie: { maxAge: 2000 } })).toBe(2000)
    expect(ttlFor({ ttl })).toBe(day)
    expect(createTtlPolicy({ ttl }, { ttl: 7 }).ttlFor({}, { now })).toBe(7)
  })

  it('hands the value to a function', () => {
    const policy = createTtlPolicy({
      ttl: (value: { readonly remember: boolean }) => (value.remember ? '30d' : '1h'),
    })
    expect(policy.ttlFor({ remember: true }, { now })).toBe(30 * day)
    expect(policy.ttlFor({ remember: false }, { now })).toBe(3_600_000)
  })

  it('is 0, which is not for ever, for what is already over', () => {
    const min = 60_000
    expect(ttlFor({ ttl: () => 0, min })).toBe(0)
    expect(ttlFor({ min }, { cookie: { expires: now } })).toBe(0)
    expect(ttlFor({ min }, { cookie: { expires: now - 5 } })).toBe(0)
    expect(ttlFor({ min }, { endsAt: now })).toBe(0)
    expect(ttlFor({ min }, { endsAt: now - 5 })).toBe(0)
  })

  it('stays within min and max, both included', () => {
    const bounds = { min: 1000, max: 5000 }
    expect([1, 999, 1000, 3000, 5000, 5001].map((ttl) => ttlFor({ ttl, ...bounds }))).toEqual([
      1000, 1000, 1000, 3000, 5000, 5000,
    ])
    expect(ttlFor(bounds, { cookie: { maxAge: day } })).toBe(5000)
  })

  it('ends with the absolute end, even below min', () => {
    expect(ttlFor({ ttl: 5000 }, { endsAt: now + 3000 })).toBe(3000)
    expect(ttlFor({ ttl: 5000, min: 4000 }, { endsAt: now + 3000 })).toBe(3000)
    expect(ttlFor({ ttl: 5000 }, { endsAt: now + 8000 })).toBe(5000)
    expect(ttlFor({ ttl: 5000 }, { endsAt: 0 })).toBe(5000)
  })

  it('gives the absolute end of what is created now, and 0 for none', () => {
    expect(createTtlPolicy({ absolute: '12h' }).endsAt(now)).toBe(now + 43_200_000)
    expect(createTtlPolicy().endsAt(now)).toBe(0)
  })

  it('shortens by up to the jitter, and never lengthens', () => {
    const at = (jitter: number, random: number): number => ttlFor({ ttl: 1000, jitter, random: () => random })
    expect([at(0.2, 0), at(0.2, 0.5), at(0.2, 0.999_999)]).toEqual([1000, 900, 800])
    expect(at(0, 0.5)).toBe(1000)
    expect(at(1, 0.999_999)).toBe(1)
  })

  it('gives whole milliseconds', () => {
    expect(ttlFor({ ttl: 1000, jitter: 0.1, random: () => 1 / 3 })).toBe(967)
    expect(ttlFor({}, { cookie: { maxAge: 0.2 } })).toBe(1)
    expect(ttlFor({}, { cookie: { maxAge: 1.6 } })).toBe(2)
    expect(ttlFor({ ttl: 5000 }, { now: now + 0.5, endsAt: now + 3 })).toBe(3)
  })

  it('cuts a cookie off at 100 years', () => {
    expect(ttlFor({}, { cookie: { expires: '9999-12-31T23:59:59Z' } })).toBe(36_500 * day)
  })

  it.each(['ttl', 'min', 'max', 'absolute'])(
    'refuses a %s that is no positive duration, by name and value',
    (option) => {
      for (const bad of [0, -1, Number.NaN, Infinity, 'soon', '-5m', 0.2, null, {}, 36_501 * day]) {
        expect(() => createTtlPolicy({ [option]: bad })).toThrow(
          expect.objectContaining({
            code: 'ERR_HOLDFAST_OPTION',
            message: expect.stringContaining(`"${option}"`),
          }),
        )
      }
      expect(() => createTtlPolicy({ [option]: -5 })).toThrow(/-5/)
    },
  )

  it.each([-0.1, 1.1, Number.NaN, '0.1'])('refuses a jitter of %j', (jitter) => {
    expect(() => createTtlPolicy({ jitter: jitter as number })).toThrow(/"jitter"/)
  })

  it('refuses a min above max', () => {
    expect(() => createTtlPolicy({ min: 2000, max: 1000 })).toThrow(/"min"/)
    expect(createTtlPolicy({ min: 1000, max: 1000 }).ttlFor({}, { now })).toBe(1000)
  })

  it.each([Number.NaN, -1, Infinity, 'soon', null, {}])('throws where a function gives %j', (result) => {
    expect(() => ttlFor({ ttl: () => result as number })).toThrow(
      expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION', message: expect.stringContaining('ttl') }),
    )
  })
})

describe('touchDue', () => {
  it('is due once a tenth of the ttl has passed by default', () => {
    expect(touchDue({ ttl: 1000, remaining: 901 })).toBe(false)
    expect(touchDue({ ttl: 1000, remaining: 900 })).toBe(true)
  })

  it('goes by the share', () => {
    expect(touchDue({ ttl: 1000, remaining: 501, share: 0.5 })).toBe(false)
    expect(touchDue({ ttl: 1000, remaining: 500, share: 0.5 })).toBe(true)
    expect(touchDue({ ttl: 1000, remaining: 1, share: 1 })).toBe(false)
  })

  it('is always due with a share of 0', () => {
    expect(touchDue({ ttl: 1000, remaining: 1000, share: 0 })).toBe(true)
  })

  it('is due for an entry that would live much longer than it should now', () => {
    expect(touchDue({ ttl: 1000, remaining: 1099 })).toBe(false)
    expect(touchDue({ ttl: 1000, remaining: 5000 })).toBe(true)
    expect(touchDue({ ttl: 1000, remaining: Infinity })).toBe(true)
  })

  it('is due where nobody knows what remains', () => {
    expect(touchDue({ ttl: 1000, remaining: Number.NaN })).toBe(true)
  })
})
