import { KeyObject } from 'node:crypto'
import { optionError } from '../errors.ts'

/** What keys can be derived from: a text, bytes, or a secret key of Node's. */
export type Secret = string | NodeJS.ArrayBufferView | KeyObject

const strongSecret = 32

/** Gives the secrets of the continuity token; throws an error where one cannot be used, and warns of one that is weak. */
export function checkedSecrets(secrets: unknown, warn: (message: string) => void): readonly Secret[] {
  if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(isSecret))
    throw optionError('continuity.secrets', 'a list of secrets that are not empty', typeof secrets)
  if (secrets.some((secret) => lengthOf(secret) < strongSecret))
    warn(
      `holdfast: a session secret is shorter than ${strongSecret} bytes. Who guesses it can forge sessions; take 32 random bytes.`,
    )
  return secrets
}

/** Whether keys can be derived from this: no empty text, no public key. */
export function isSecret(secret: unknown): secret is Secret {
  if (typeof secret === 'string') return secret.trim() !== ''
  if (secret instanceof KeyObject) return secret.type === 'secret' && lengthOf(secret) > 0
  return ArrayBuffer.isView(secret) && secret.byteLength > 0
}

function lengthOf(secret: Secret): number {
  return secret instanceof KeyObject ? (secret.symmetricKeySize ?? 0) : Buffer.byteLength(secret)
}
