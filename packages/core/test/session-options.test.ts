import { afterAll, describe, expect, it } from 'vitest'
import { createHoldfast } from '../src/index.ts'

const holdfast = createHoldfast({ redis: 'memory', logger: false })
const secrets = ['a secret of the tests, of 32 bytes and more']

afterAll(() => holdfast.close())

describe('the options of sessions', () => {
  it.each<[unknown, string]>([
    ['30m', 'Option "continuity" must be an object with "secrets", or left out; got "30m".'],
    [null, 'Option "continuity" must be an object with "secrets", or left out; got null.'],
    [[], 'Option "continuity" must be an object with "secrets", or left out; got an array.'],
    [{ secrets, lifeTime: '1h' }, 'There is no option "continuity.lifeTime".'],
    [
      { secrets, restoreUnwitnessed: 'no' },
      'Option "continuity.restoreUnwitnessed" must be true or false; got "no".',
    ],
    [{ secrets, lifetime: '48h' }, 'Option "continuity.lifetime" must be between 1s and 1d; got "48h".'],
    [
      { secrets, lifetime: '90s', trustFor: '2m' },
      'Option "continuity.trustFor" must be between 0 and 90s; got "2m".',
    ],
  ])('refuse a continuity that cannot be right: %j', (continuity, message) => {
    const refused = expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION', message })
    expect(() => holdfast.sessions({ continuity: continuity as never })).toThrow(refused)
  })

  it('refuse it under the other rules, too, and show no value of an option that is unknown', () => {
    const sessions = (): unknown =>
      holdfast.sessions({ rule: 'refuse', continuity: { secrets, secret: 's3cret' } as never })
    expect(sessions).toThrow('"continuity.secret"')
    expect(sessions).not.toThrow('s3cret')
  })

  it.each([true, false])('take restoreUnwitnessed: %s', (restoreUnwitnessed) => {
    const sessions = holdfast.sessions({
      prefix: `r${restoreUnwitnessed}:`,
      continuity: { secrets, restoreUnwitnessed },
    })
    expect(sessions.rule).toBe('token')
  })
})
