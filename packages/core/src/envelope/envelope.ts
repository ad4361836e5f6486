import { Buffer } from 'node:buffer'
import { HoldfastError, optionError } from '../errors.ts'
import { parseSize, type Bytes, type Size } from '../units.ts'
import { codecs, createCompression, tooLarge, type CompressionOptions } from './compression.ts'
import { createKeyring, encryptionOverhead, type EncryptionOptions } from './encryption.ts'
import { fromJson, notSerialisable, toJson } from './json.ts'
import { headerLength, magic, readHeader, writeHeader } from './layout.ts'
import {
  fromPayload,
  isBinary,
  isKnownKind,
  kindOf,
  payloadLength,
  textOf,
  toPayload,
  writePayload,
} from './payload.ts'

/** How values are written. What is read does not depend on it, but for encryption and the bounds. */
export interface EnvelopeOptions {
  /** `json` writes plain JSON, as connect-redis does: no revision, no binding, no compression. Default: `envelope`. */
  readonly format?: 'envelope' | 'json' | undefined
  /** Compression of large payloads; `false`: none. Default: on, from 8 kB. */
  readonly compression?: false | CompressionOptions | undefined
  /** Encryption with AES-256-GCM. Absent: none, and encrypted entries cannot be read. */
  readonly encryption?: EncryptionOptions | undefined
  readonly limits?: EnvelopeLimits | undefined
}

export interface EnvelopeLimits {
  /** The largest value that is written, by its serialised bytes before compression: 1 byte to 512 MB, default 8 MB. */
  readonly value?: Size | undefined
  /** The largest payload that is read, inflated: from `value` to 512 MB, default 32 MB, or `value` where that is more. */
  readonly inflated?: Size | undefined
}

/** What an envelope carries beside the value. */
export interface EnvelopeMeta {
  /** Orders the writes of an entry: milliseconds of a hybrid logical clock. 0 or absent: unknown. */
  readonly revision?: number | undefined
  /** A time to which the concern gives its meaning, in milliseconds since the epoch: a session began then. 0 or absent: none. */
  readonly stamp?: number | undefined
  /** When it ends however often it is extended, in milliseconds since the epoch. 0 or absent: never. */
  readonly endsAt?: number | undefined
}

/** What bytes turned out to be. */
export type Opened =
  | {
      readonly status: 'opened'
      readonly value: unknown
      /** 0: unknown, as in plain JSON. */
      readonly revision: number
      /** 0: none. */
      readonly stamp: number
      /** 0: none. */
      readonly endsAt: number
      /** Whether the bytes proved to belong to the wire key; plain JSON cannot. */
      readonly bound: boolean
    }
  /** An envelope that was sealed for another wire key. */
  | { readonly status: 'foreign' }
  | { readonly status: 'unreadable'; readonly reason: UnreadableReason }

/** Why bytes could not be read; holds nothing of them. */
export type UnreadableReason =
  | 'empty'
  | 'not JSON'
  | 'truncated'
  | 'unknown version'
  | 'damaged header'
  | 'damaged payload'
  | 'unknown kind'
  | 'unknown codec'
  | 'too large'
  | 'not encrypted'
  | 'encrypted'
  | 'unknown encryption key'
  | 'does not decrypt'

/** Turns values into the bytes that a backend stores, and back. `layout.ts` and `docs/envelope.md` have the format. */
export interface Envelopes {
  /**
   * Gives the bytes of a value for a wire key. JSON keeps what JSON keeps; `undefined`, strings, buffers and typed
   * arrays at the top level come back as they were. Throws `ERR_HOLDFAST_NOT_SERIALISABLE` or
   * `ERR_HOLDFAST_VALUE_TOO_LARGE`.
   */
  seal(wireKey: string, value: unknown, meta?: EnvelopeMeta): Uint8Array
  /** Reads an envelope or plain JSON. Never throws, whatever the bytes are. */
  open(wireKey: string, bytes: Uint8Array): Opened
}

const largest = 512 * 1024 ** 2
const foreign: Opened = { status: 'foreign' }

/** Creates envelopes; throws an error that names the option which is wrong. */
export function createEnvelopes(options: EnvelopeOptions = {}): Envelopes {
  const { format = 'envelope', compression = {}, encryption } = options
  if (format !== 'envelope' && format !== 'json') throw optionError('format', '"envelope" or "json"', format)
  if (format === 'json' && encryption)
    throw optionError('encryption', 'absent where "format" is "json"', encryption)
  const limits = readLimits(options.limits)
  const compressor = createCompression(compression, limits.inflated)
  const { threshold } = compressor
  const keyring = encryption && createKeyring(encryption)
  const readsPlaintext = !encryption || encryption.acceptPlaintext === true

  function seal(wireKey: string, value: unknown, meta: EnvelopeMeta = {}): Uint8Array {
    const payload = toPayload(value)
    const kind = kindOf(payload)
    const size = payloadLength(payload)
    if (size > limits.value) throw valueTooLarge(size, limits.value)

    const { revision = 0, stamp = 0, endsAt = 0 } = meta
    if (size < threshold && !keyring) {
      const bytes = Buffer.allocUnsafe(headerLength + size)
      writeHeader(bytes, wireKey, {
        kind,
        codec: codecs.none,
        encrypted: false,
        keyId: 0,
        revision,
        stamp,
        endsAt,
      })
      writePayload(bytes, size, payload)
      return bytes
    }

    const plain = Buffer.allocUnsafe(size)
    writePayload(plain, size, payload)
    const deflated = size < threshold ? undefined : compressor.deflate(plain)
    const { codec, bytes: written } = deflated ?? { codec: codecs.none, bytes: plain }
    const bytes = Buffer.allocUnsafe(headerLength + written.length + (keyring ? encryptionOverhead : 0))
    const keyId = keyring?.keyId ?? 0
    writeHeader(bytes, wireKey, {
      kind,
      codec,
      encrypted: keyring !== undefined,
      keyId,
      revision,
      stamp,
      endsAt,
    })
    if (keyring) keyring.seal(bytes, wireKey, written)
    else bytes.set(written, headerLength)
    return bytes
  }

  function sealJson(_wireKey: string, value: unknown): Uint8Array {
    if (isBinary(value)) throw notSerialisable('plain JSON has no form for bytes')
    const bytes = Buffer.from(toJson(value))
    if (bytes.length > limits.value) throw valueTooLarge(bytes.length, limits.value)
    return bytes
  }

  function open(wireKey: string, given: Uint8Array): Opened {
    const bytes = Buffer.isBuffer(given)
      ? given
      : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
    if (bytes.length === 0) return unreadable('empty')
    if (bytes[0] !== magic) return openJson(bytes)
    const header = readHeader(bytes, wireKey)
    if (typeof header === 'string') return header === 'foreign' ? foreign : unreadable(header)

    const { kind, codec, encrypted, keyId, revision, stamp, endsAt } = header
    if (!isKnownKind(kind)) return unreadable('unknown kind')
    if (codec !== codecs.none && !compressor.reads(codec)) return unreadable('unknown codec')
    if (!encrypted && !readsPlaintext) return unreadable('not encrypted')
    let payload = bytes
    if (encrypted) {
      const decrypted = keyring ? keyring.open(bytes, wireKey, keyId) : 'encrypted'
      if (typeof decrypted === 'string') return unreadable(decrypted)
      payload = decrypted
    }
    let start = encrypted ? 0 : headerLength
    try {
      if (codec !== codecs.none) {
        payload = compressor.inflate(codec, payload.subarray(start))
        start = 0
      }
      if (payload.length - start > limits.inflated) return unreadable('too large')
      return {
        status: 'opened',
        value: fromPayload(kind, payload, start),
        revision,
        stamp,
        endsAt,
        bound: true,
      }
    } catch (error) {
      return unreadable(error === tooLarge ? 'too large' : 'damaged payload')
    }
  }

  function openJson(bytes: Buffer): Opened {
    if (!readsPlaintext) return unreadable('not encrypted')
    if (bytes.length > limits.inflated) return unreadable('too large')
    try {
      const value = fromJson(textOf(bytes, 0))
      return { status: 'opened', value, revision: 0, stamp: 0, endsAt: 0, bound: false }
    } catch {
      return unreadable('not JSON')
    }
  }

  return { seal: format === 'json' ? sealJson : seal, open }
}

function readLimits(limits: EnvelopeLimits = {}): { readonly value: Bytes; readonly inflated: Bytes } {
  const value = parseSize('limits.value', limits.value ?? '8MB', { min: 1, max: largest })
  const inflated = limits.inflated ?? Math.max(value, 32 * 1024 ** 2)
  return { value, inflated: parseSize('limits.inflated', inflated, { min: value, max: largest }) }
}

function valueTooLarge(size: Bytes, limit: Bytes): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_VALUE_TOO_LARGE',
    `The value has ${size} bytes; the limit is ${limit}.`,
  )
}

function unreadable(reason: UnreadableReason): Opened {
  return { status: 'unreadable', reason }
}
