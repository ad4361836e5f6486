import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { optionError } from '../errors.ts'
import { headerLength } from './layout.ts'

/** How entries are encrypted: AES-256-GCM, each bound to its wire key and its header. */
export interface EncryptionOptions {
  /**
   * Secrets of 32 bytes or characters and more. The first one seals, all of them open: put a new one first and drop the
   * old one once what it sealed has expired. Keys are derived from them; they are never used as they are.
   */
  readonly keys: readonly (string | Uint8Array)[]
  /** Whether entries that are not encrypted are read too, as while encryption is being introduced. Default: `false`. */
  readonly acceptPlaintext?: boolean | undefined
}

/** Seals and opens the payloads of envelopes. */
export interface Keyring {
  /** The id of the key that seals, for the header. Two keys may share one; then both are tried. */
  readonly keyId: number
  /** Fills in nonce, ciphertext and tag behind the header, which must be complete. */
  seal(bytes: Buffer, wireKey: string, payload: Uint8Array): void
  /** Gives the payload of an envelope, or why there is none. */
  open(bytes: Buffer, wireKey: string, keyId: number): Buffer | 'unknown encryption key' | 'does not decrypt'
}

const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16
const shortestSecret = 32
/** How many bytes encryption adds to a payload. */
export const encryptionOverhead: number = nonceLength + tagLength

/** Creates a key ring from secrets; throws an error that names the option, never the secret. */
export function createKeyring({ keys }: EncryptionOptions): Keyring {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw optionError(
      'encryption.keys',
      'a list of at least one key',
      Array.isArray(keys) ? keys : typeof keys,
    )
  }
  const ring = keys.map((secret, i) => derive(secretBytes(secret, `encryption.keys[${i}]`)))
  const sealing = ring[0]!
  const byId = Map.groupBy(ring, ({ id }) => id)

  return {
    keyId: sealing.id,
    seal(bytes, wireKey, payload) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, sealing.key, nonce, { authTagLength: tagLength })
      cipher.setAAD(boundData(bytes, wireKey))
      bytes.set(nonce, headerLength)
      bytes.set(cipher.update(payload), headerLength + nonceLength)
      cipher.final()
      bytes.set(cipher.getAuthTag(), bytes.length - tagLength)
    },
    open(bytes, wireKey, keyId) {
      if (bytes.length < headerLength + encryptionOverhead) return 'does not decrypt'
      const candidates = byId.get(keyId)
      if (!candidates) return 'unknown encryption key'
      for (const { key } of candidates) {
        const payload = decrypt(key, bytes, wireKey)
        if (payload) return payload
      }
      return 'does not decrypt'
    },
  }
}

function secretBytes(secret: unknown, option: string): Uint8Array {
  const expected = `a secret of at least ${shortestSecret} bytes`
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array))
    throw optionError(option, expected, typeof secret)
  if (secret.length < shortestSecret) throw optionError(option, expected, `one of ${secret.length}`)
  return typeof secret === 'string' ? Buffer.from(secret) : secret
}

function derive(secret: Uint8Array): { readonly key: KeyObject; readonly id: number } {
  const key = hkdfSync('sha256', secret, '', 'holdfast envelope v1 aes-256-gcm', 32)
  const id = hkdfSync('sha256', secret, '', 'holdfast envelope v1 key id', 1)
  // 0 says "not encrypted", so that an envelope whose flag was cleared is not taken for plain.
  return { key: createSecretKey(Buffer.from(key)), id: (new Uint8Array(id)[0]! % 255) + 1 }
}

function decrypt(key: KeyObject, bytes: Buffer, wireKey: string): Buffer | undefined {
  const nonce = bytes.subarray(headerLength, headerLength + nonceLength)
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength })
  decipher.setAAD(boundData(bytes, wireKey))
  decipher.setAuthTag(bytes.subarray(bytes.length - tagLength))
  const payload = decipher.update(bytes.subarray(headerLength + nonceLength, bytes.length - tagLength))
  try {
    decipher.final()
    return payload
  } catch {
    return undefined
  }
}

/** What the tag vouches for beside the payload: no header is altered and no entry is moved to another key unnoticed. */
function boundData(bytes: Buffer, wireKey: string): Buffer {
  return Buffer.concat([bytes.subarray(0, headerLength), Buffer.from(wireKey)])
}
