import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createHoldfast } from '../src/index.ts'

const holdfast = createHoldfast({ redis: 'memory', logger: false })
const secrets = ['a secret of the tests, of 32 bytes and more']

afterAll(() => holdfast.close())

describe('the options of sessions', () => {
  it.each<[unknown, string]>([
    ['30m', 'Option "continuity" must be an object; got "text".'],
    [null, 'Option "continuity" must be an object; got null.'],
    [[], 'Option "continuity" must be an object; got an array.'],
    [
      { secrets, lifeTime: '1h' },
      'There is no option "continuity.lifeTime", only secrets, lifetime, claims, audience, trustFor, restoreUnwitnessed.',
    ],
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

  it.each([
    [[]],
    [['']],
    [['   ']],
    [[new DataView(new ArrayBuffer(0))]],
    [[generateKeyPairSync('ed25519').publicKey]],
    [[4711]],
    ['a secret of the tests, of 32 bytes and more'],
  ])('refuse the secrets %j', (given) => {
    const sessions = (): unknown => holdfast.sessions({ continuity: { secrets: given as never } })
    expect(sessions).toThrow('Option "continuity.secrets" must be a list of secrets that are not empty')
  })

  it.each([
    ['a text', 'a', (bytes: Buffer) => bytes.toString('latin1')],
    ['bytes', 'b', (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)],
    ['a KeyObject', 'k', (bytes: Buffer) => createSecretKey(bytes)],
  ])('warn of a secret below 32 bytes, given as %s', (_, prefix, form) => {
    const lines: string[] = []
    const note = (line: string): void => void lines.push(line)
    const loud = createHoldfast({ redis: 'memory', logger: { info: note, warn: note, error: note } })
    onTestFinished(() => loud.close())
    const shortLines = (length: number): string[] => {
      const secret = form(Buffer.alloc(length, 'x'))
      loud.sessions({ prefix: `${prefix}${length}:`, continuity: { secrets: [secret] } })
      return lines.filter((line) => line.includes('shorter than 32 bytes'))
    }
    expect(shortLines(32)).toEqual([])
    expect(shortLines(31)).toHaveLength(1)
  })

  it.each([true, false])('take restoreUnwitnessed: %s', (restoreUnwitnessed) => {
    const sessions = holdfast.sessions({
      prefix: `r${restoreUnwitnessed}:`,
      continuity: { secrets, restoreUnwitnessed },
    })
    expect(sessions.rule).toBe('token')
  })
})
