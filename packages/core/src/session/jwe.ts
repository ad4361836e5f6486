import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import type { Secret } from './secrets.ts'

/** Seals and opens compact JWEs (RFC 7516): `dir`, `A256GCM`, `kid`; nothing else, whatever a token asks for. */
export interface Jwe {
  /** Seals text under the first key. */
  seal(text: string): string
  /** Gives the text back, or why it cannot; never throws. */
  open(token: string): { readonly text: string } | { readonly refused: JweRefusal }
}

export type JweRefusal = 'too long' | 'not a token' | 'unknown key' | 'does not open'

interface Key {
  readonly kid: string
  readonly key: KeyObject
  /** The protected header, encoded; the same for every token of this key. */
  readonly header: string
}

/** Longer than any cookie: not even looked at. */
const longestToken = 8_192
const longestHeader = 512
const nonceLength = 12
const tagLength = 16
/** `header..nonce.ciphertext.tag`; the encrypted key is empty. Nothing is in them but base64url. */
const compact = /^([\w-]+)\.\.([\w-]{16})\.([\w-]+)\.([\w-]{22})$/

/** Creates the JWEs of a key ring: the first secret seals, all of them open. Keys are derived; secrets are never used as they are. */
export function createJwe(secrets: readonly Secret[]): Jwe {
  const ring = secrets.map(derive)
  const sealing = ring[0]!
  const byKid = new Map(ring.toReversed().map((key) => [key.kid, key]))
  const byHeader = new Map(ring.toReversed().map((key) => [key.header, key]))

  /** Our own headers are known as they are; another library may write the same in another way. */
  function keyFor(header: string): Key | 'not a token' | 'unknown key' {
    const known = byHeader.get(header)
    if (known) return known
    const kid = kidOf(header)
    return kid === undefined ? 'not a token' : (byKid.get(kid) ?? 'unknown key')
  }

  return {
    seal(text) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', sealing.key, nonce, { authTagLength: tagLength })
      cipher.setAAD(Buffer.from(sealing.header, 'latin1'))
      const ciphertext = cipher.update(text, 'utf8', 'base64url') + cipher.final('base64url')
      const tag = cipher.getAuthTag().toString('base64url')
      return `${sealing.header}..${nonce.toString('base64url')}.${ciphertext}.${tag}`
    },
    open(token) {
      if (token.length > longestToken) return { refused: 'too long' }
      const parts = compact.exec(token)
      if (!parts) return { refused: 'not a token' }
      const [, header, nonceText, ciphertextText, tagText] = parts as unknown as [
        string,
        string,
        string,
        string,
        string,
      ]
      const key = keyFor(header)
      if (typeof key === 'string') return { refused: key }
      const nonce = bytesOf(nonceText)
      const ciphertext = bytesOf(ciphertextText)
      const tag = bytesOf(tagText)
      if (!nonce || !ciphertext || !tag) return { refused: 'not a token' }
      const decipher = createDecipheriv('aes-256-gcm', key.key, nonce, { authTagLength: tagLength })
      decipher.setAAD(Buffer.from(header, 'latin1'))
      decipher.setAuthTag(tag)
      try {
        return { text: decipher.update(ciphertext, undefined, 'utf8') + decipher.final('utf8') }
      } catch {
        return { refused: 'does not open' }
      }
    },
  }
}

function derive(secret: Secret): Key {
  const raw = Buffer.from(hkdfSync('sha256', secret, '', 'holdfast continuity token v1 A256GCM', 32))
  const kid = hash('sha256', Buffer.concat([Buffer.from('holdfast kid '), raw]), 'base64url').slice(0, 12)
  const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid })).toString('base64url')
  return { kid, key: createSecretKey(raw), header }
}

/** Only the one algorithm, and nothing that would have to be understood: no `zip`, no `crit`, no nested token. */
function kidOf(header: string): string | undefined {
  if (header.length > longestHeader) return undefined
  let fields: unknown
  try {
    fields = JSON.parse(bytesOf(header)?.toString('utf8') ?? '')
  } catch {
    return undefined
  }
  if (typeof fields !== 'object' || fields === null) return undefined
  const { alg, enc, kid, typ, ...rest } = fields as Record<string, unknown>
  const isPlain = (typ === undefined || typ === 'JWT') && Object.keys(rest).length === 0
  return alg === 'dir' && enc === 'A256GCM' && isPlain && typeof kid === 'string' ? kid : undefined
}

/** Decodes base64url; `undefined` for a spelling that another one stands for, so that no altered token opens. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
