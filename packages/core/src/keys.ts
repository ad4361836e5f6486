import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { HoldfastError, optionError } from './errors.ts'
import { parseSize, type Bytes, type Size } from './units.ts'

/** Turns the keys of callers into the keys that a backend sees, and back. */
export interface Keyspace {
  /** What every wire key of this keyspace starts with, and no other's should. */
  readonly prefix: string
  /**
   * Gives the wire key. No two keys share one. A key that is too long for the limit, starts with `#` or holds a lone
   * surrogate is hashed. Throws `ERR_HOLDFAST_KEY` for what is no string, empty, or longer than 64 kB.
   */
  wireKey(key: string): string
  /** Gives the key back; `undefined` for one that was hashed, and for a wire key of another keyspace. */
  keyOf(wireKey: string): string | undefined
}

export interface KeyspaceOptions {
  /** Used as given, such as `holdfast:session:`; at most 128 bytes, no white space or control characters. */
  readonly prefix: string
  /** The longest key, in UTF-8 bytes, that is used as it is: 64 to 65,536, default 512. */
  readonly limit?: Size | undefined
}

const defaultLimit = 512
/** The longest prefix of keys, in bytes. */
export const longestPrefix = 128
const longestKey = 65_536
/** Marks a hashed key. A caller's own key that starts with it is hashed as well, so the two never meet. */
const hashMark = '#'
const hashMarkCode = 35

/** Creates the keyspace under a prefix. */
export function createKeyspace({ prefix, limit = defaultLimit }: KeyspaceOptions): Keyspace {
  validatePrefix('prefix', prefix)
  const longest = parseSize('limit', limit, { min: 64, max: longestKey })
  let lastKey = ''
  let lastWireKey = ''

  function common(key: string): string {
    // A UTF-16 unit takes 3 bytes of UTF-8 at most, so short keys need no counting.
    const isPlain = typeof key === 'string' && key.length > 0 && key.charCodeAt(0) !== hashMarkCode
    return isPlain && key.length * 3 <= longest && key.isWellFormed() ? key : uncommon(key, longest)
  }

  return {
    prefix,
    wireKey(key) {
      // Those who build on one another ask for the same several times in a row.
      if (key === lastKey && key !== '') return lastWireKey
      lastWireKey = prefix + common(key)
      lastKey = key
      return lastWireKey
    },
    keyOf(wireKey) {
      if (wireKey.length === prefix.length || !wireKey.startsWith(prefix)) return undefined
      return wireKey.charCodeAt(prefix.length) === hashMarkCode ? undefined : wireKey.slice(prefix.length)
    },
  }
}

function uncommon(key: unknown, longest: Bytes): string {
  if (typeof key !== 'string') throw keyError(`must be a string; got ${key === null ? 'null' : typeof key}`)
  if (key === '') throw keyError('must not be empty')
  const size = key.length > longestKey ? key.length : Buffer.byteLength(key)
  if (size > longestKey) throw keyError(`must be at most ${longestKey} bytes; got ${size} or more`)
  const isKept = size <= longest && key.charCodeAt(0) !== hashMarkCode && key.isWellFormed()
  // UTF-8 would turn every lone surrogate into the same replacement character; UTF-16 keeps all strings apart.
  return isKept ? key : hashMark + hash('sha256', Buffer.from(key, 'utf16le'), 'base64url')
}

function keyError(problem: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_KEY', `A key ${problem}.`)
}

/** Gives a prefix back if it can be one: 1 to 128 bytes, no white space or control characters. */
export function validatePrefix(option: string, value: unknown): string {
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed()
  if (isText && !/[\s\p{Cc}]/u.test(value) && Buffer.byteLength(value) <= longestPrefix) return value
  throw optionError(
    option,
    `1 to ${longestPrefix} bytes of text without white space or control characters`,
    value,
  )
}

/** Gives the wire prefix of one concern: `app` and `session` give `app:session:`. */
export function joinPrefix(prefix: string, concern: string): string {
  return `${prefix}:${concern}:`
}

/** Makes text mean itself in a pattern of Redis, such as that of `SCAN … MATCH`. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\^-]/g, '\\$&')
}

const longestName = 64

/**
 * Gives a name as it may stand in a prefix: percent-encoded, without colons, so that none with a colon behind it is the beginning of
 * another; a hash of one that is longer than 64 letters then.
 */
export function encodedName(name: string): string {
  const plain = name.isWellFormed() ? encodeURIComponent(name) : undefined
  if (plain !== undefined && plain.length <= longestName) return plain
  return `#${hash('sha256', Buffer.from(name, 'utf16le'), 'base64url')}`
}
