import {
  createCipheriv,
  createPrivateKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import fc from 'fast-check'
import {
  base64url,
  compactDecrypt,
  CompactEncrypt,
  decodeProtectedHeader,
  EncryptJWT,
  jwtDecrypt,
  SignJWT,
} from 'jose'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../src/session/digest.ts'
import type { Secret } from '../src/session/secrets.ts'
import { createTokens, type TokenClaims } from '../src/session/token.ts'

const secret = 'a secret of 32 bytes or a bit more'
const other = 'another secret of 32 bytes or more'
const start = Date.UTC(2026, 10, 21)
const session = digestOf('sess:some id')

interface TokensOf {
  secrets?: Secret[]
  audience?: string
  lifetime?: number
  now?: number
}

function tokensOf({
  secrets = [secret],
  audience = 'sess:',
  lifetime = 1_800_000,
  now = start,
}: TokensOf = {}) {
  return createTokens({ secrets, audience, lifetime, now: () => now })
}

const claims: TokenClaims = {
  revision: start + 3 / 1024,
  issuedAt: start,
  expiresAt: start + 1_800_000,
  endsAt: 0,
  begunAt: start - 5,
  user: digestOf('user ada'),
  base: start - 7,
  changed: ['cart'],
  isPartial: false,
  data: { cookie: { originalMaxAge: null }, user: 'ada', cart: ['shoes', { n: 1 }] },
}

/** The key as jose takes it: derived once more, by what the documentation says of it. */
const keyOf = (from: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', from, '', 'holdfast continuity token v1 A256GCM', 32))

describe('a continuity token', () => {
  it('gives back what it was made of', () => {
    expect(tokensOf().open(session, tokensOf().seal(session, claims))).toEqual({ claims })
  })

  it('opens by the same secret in any form', () => {
    const bytes = Buffer.from(`<<${secret}>>`)
    const forms: Secret[] = [
      Buffer.from(secret),
      new DataView(bytes.buffer, bytes.byteOffset + 2, bytes.length - 4),
      new Uint16Array(Uint8Array.from(Buffer.from(secret)).buffer),
      createSecretKey(Buffer.from(secret)),
    ]
    const token = tokensOf().seal(session, claims)
    for (const form of forms) {
      expect(tokensOf({ secrets: [form] }).open(session, token)).toEqual({ claims })
      expect(tokensOf({ secrets: [other, form] }).open(session, token)).toEqual({ claims })
    }
  })

  it('gives back any session that JSON can hold', () => {
    const tokens = tokensOf()
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          // Nobody gets to set a prototype, at any depth.
          fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__"')),
        ),
        (data) => {
          const plain = JSON.parse(JSON.stringify(data)) as Record<string, unknown>
          const opened = tokens.open(session, tokens.seal(session, { ...claims, data: plain }))
          expect(opened).toEqual({ claims: { ...claims, data: plain } })
        },
      ),
    )
  })

  it('is opened by jose', async () => {
    const token = tokensOf().seal(session, claims)
    const { payload, protectedHeader } = await jwtDecrypt(token, keyOf(secret), {
      audience: 'sess:',
      currentDate: new Date(start),
      contentEncryptionAlgorithms: ['A256GCM'],
      keyManagementAlgorithms: ['dir'],
    })
    expect(protectedHeader).toMatchObject({ alg: 'dir', enc: 'A256GCM' })
    expect(payload).toMatchObject({ aud: 'sess:', dat: claims.data, exp: start / 1000 + 1_800 })
  })

  it("opens jose's", async () => {
    const ours = tokensOf().seal(session, claims)
    const { kid } = decodeProtectedHeader(ours)
    const { plaintext } = await compactDecrypt(ours, keyOf(secret))
    const payload = JSON.parse(new TextDecoder().decode(plaintext)) as Record<string, unknown>
    const theirs = await new EncryptJWT(payload)
      .setProtectedHeader({ kid: kid!, enc: 'A256GCM', alg: 'dir', typ: 'JWT' })
      .encrypt(keyOf(secret))
    expect(tokensOf().open(session, theirs)).toEqual({ claims })
  })

  it('is sealed by the first secret and opened by all', () => {
    const before = tokensOf({ secrets: [other] }).seal(session, claims)
    const rotated = tokensOf({ secrets: [secret, other] })
    expect(rotated.open(session, before)).toEqual({ claims })
    expect(tokensOf().open(session, rotated.seal(session, claims))).toEqual({ claims })
    expect(tokensOf({ secrets: [secret] }).open(session, before)).toEqual({ refused: 'unknown key' })
  })

  it.each([
    ['another session', { of: digestOf('sess:another id') }],
    ['another application', { audience: 'other:' }],
    ['expired', { now: start + 1_800_000 }],
    ['expired', { lifetime: 60_000, now: start + 60_000 }],
    ['not yet valid', { now: start - 60_001 }],
  ] as const)('is refused: %s', (refused, { of = session, ...options }: TokensOf & { of?: string }) => {
    expect(tokensOf(options).open(of, tokensOf().seal(session, claims))).toEqual({ refused })
  })

  it('is refused once the session is over', () => {
    const token = tokensOf().seal(session, { ...claims, endsAt: start + 1_000 })
    expect(tokensOf({ now: start + 999 }).open(session, token)).toHaveProperty('claims')
    expect(tokensOf({ now: start + 1_000 }).open(session, token)).toEqual({ refused: 'expired' })
  })

  it('forgives a clock that is a minute apart', () => {
    expect(tokensOf({ now: start - 60_000 }).open(session, tokensOf().seal(session, claims))).toEqual({
      claims,
    })
  })

  it('is refused wherever one character of it is another', () => {
    const tokens = tokensOf()
    const token = tokens.seal(session, claims)
    for (let at = 0; at < token.length; at++) {
      for (const letter of ['A', 'B', '_', '.', '=', '+']) {
        if (token[at] === letter) continue
        const altered = token.slice(0, at) + letter + token.slice(at + 1)
        expect(tokens.open(session, altered), altered).toHaveProperty('refused')
      }
    }
  })

  it('is refused whatever stands in its place', () => {
    const tokens = tokensOf()
    const part = fc.base64String().map((text) => text.replaceAll(/[+/=]/g, '-'))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
        ),
        (text) => {
          expect(tokens.open(session, text)).toHaveProperty('refused')
        },
      ),
    )
    expect(tokens.open(session, `${tokens.seal(session, claims)}${'A'.repeat(10_000)}`)).toEqual({
      refused: 'too long',
    })
  })

  describe('of another algorithm', () => {
    const text = new TextEncoder().encode(
      JSON.stringify({ aud: 'sess:', sid: session, dat: { user: 'ada' } }),
    )
    const { kid } = decodeProtectedHeader(tokensOf().seal(session, claims)) as { kid: string }
    const key = keyOf(secret)
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

    it.each<[string, () => string | Promise<string>]>([
      ['none', () => `${base64url.encode('{"alg":"none"}')}.${base64url.encode(text)}.`],
      ['a signature', () => new SignJWT({ dat: {} }).setProtectedHeader({ alg: 'HS256', kid }).sign(key)],
      [
        'a signature by RSA',
        () =>
          new SignJWT({ dat: {} })
            .setProtectedHeader({ alg: 'RS256', kid })
            .sign(createPrivateKey(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))),
      ],
      [
        'RSA',
        () =>
          new CompactEncrypt(text)
            .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', kid })
            .encrypt(rsa.publicKey),
      ],
      [
        'A128GCM',
        () =>
          new CompactEncrypt(text)
            .setProtectedHeader({ alg: 'dir', enc: 'A128GCM', kid })
            .encrypt(key.slice(0, 16)),
      ],
      [
        'A256CBC-HS512',
        () =>
          new CompactEncrypt(text)
            .setProtectedHeader({ alg: 'dir', enc: 'A256CBC-HS512', kid })
            .encrypt(new Uint8Array([...key, ...key])),
      ],
      [
        'a wrapped key',
        () =>
          new CompactEncrypt(text).setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid }).encrypt(key),
      ],
      ['compression', () => sealed(key, { alg: 'dir', enc: 'A256GCM', kid, zip: 'DEF' }, text)],
      ['a nested token', () => sealed(key, { alg: 'dir', enc: 'A256GCM', kid, cty: 'JWT' }, text)],
      [
        'what must be understood',
        () => sealed(key, { alg: 'dir', enc: 'A256GCM', kid, crit: ['x'], x: 1 }, text),
      ],
      ['no key id', () => sealed(key, { alg: 'dir', enc: 'A256GCM' }, text)],
      ['a list for a header', () => sealed(key, [], text)],
    ])('is refused: %s', async (_name, make) => {
      expect(tokensOf().open(session, await make())).toHaveProperty('refused')
    })

    it.each([
      'null',
      '[]',
      '"text"',
      '{}',
      '{"aud":"sess:"}',
      JSON.stringify({
        aud: 'sess:',
        sid: session,
        iat: 'now',
        exp: 2e9,
        rev: 1,
        bas: 0,
        end: 0,
        bgn: 0,
        dat: {},
      }),
      JSON.stringify({
        aud: 'sess:',
        sid: session,
        iat: start / 1000,
        exp: 2e9,
        rev: 1,
        bas: 0,
        end: 0,
        bgn: 0,
        dat: [],
      }),
      JSON.stringify({
        aud: 'sess:',
        sid: session,
        iat: start / 1000,
        rev: 1,
        bas: 0,
        end: 0,
        bgn: 0,
        dat: {},
      }),
      'not JSON',
    ])('is refused for its claims: %s', (content) => {
      const token = sealed(key, { alg: 'dir', enc: 'A256GCM', kid }, new TextEncoder().encode(content))
      expect(tokensOf().open(session, token)).toHaveProperty('refused')
    })

    it('never sets a prototype', () => {
      const content = JSON.stringify({
        aud: 'sess:',
        sid: session,
        iat: start / 1000,
        exp: start / 1000 + 60,
        rev: 1,
        bas: 0,
        end: 0,
        bgn: 0,
        dat: { x: 1 },
      }).replace('"x":1', '"__proto__":{"user":"admin"}')
      const token = sealed(key, { alg: 'dir', enc: 'A256GCM', kid }, new TextEncoder().encode(content))
      const opened = tokensOf().open(session, token) as { claims: TokenClaims }
      expect(Object.getPrototypeOf(opened.claims.data)).toBe(Object.prototype)
      expect(opened.claims.data['user']).toBeUndefined()
    })
  })
})

/** A well-made JWE of a header that jose would not write. */
function sealed(key: Uint8Array, header: object, text: Uint8Array): string {
  const head = base64url.encode(JSON.stringify(header))
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(head))
  const body = Buffer.concat([cipher.update(text), cipher.final()])
  return [head, '', nonce, body, cipher.getAuthTag()]
    .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.')
}
