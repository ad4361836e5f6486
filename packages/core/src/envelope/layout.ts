/**
 * The layout of an envelope, version 1. Numbers are big-endian.
 *
 * ```
 *  at  bytes
 *   0    1   magic: 0xF5, which no UTF-8 text holds, so plain JSON is told apart by its first byte
 *   1    1   version: 1
 *   2    1   flags: bits 0-4 the payload's kind, bits 5-6 its codec (0 none, 1 zstd, 2 brotli), bit 7 encrypted
 *   3    1   key id where encrypted, else 0
 *   4    8   check: two 32-bit hashes of the wire key
 *  12    8   revision: float64, milliseconds of a hybrid logical clock; 0: unknown
 *  20    8   stamp: float64, milliseconds since the epoch, with the meaning that the concern gives it; 0: none
 *  28    8   endsAt: float64, milliseconds since the epoch; 0: none
 *  36        payload; where compressed, 4 bytes with its inflated length come first;
 *            where encrypted, all of that is between a 12-byte nonce and a 16-byte tag
 * ```
 *
 * The check tells a reply that belongs to another key from one that is ours. It is no signature: who wants to keep out
 * someone who writes into Redis turns encryption on.
 */
export interface Header {
  readonly kind: number
  readonly codec: number
  readonly encrypted: boolean
  readonly keyId: number
  readonly revision: number
  readonly stamp: number
  readonly endsAt: number
}

export const headerLength = 36
/** The first byte of every envelope. */
export const magic = 0xf5
const version = 1

/** Writes the header of an envelope into the first 36 bytes. */
export function writeHeader(bytes: Buffer, wireKey: string, header: Header): void {
  const { kind, codec, encrypted, keyId, revision, stamp, endsAt } = header
  bytes[0] = magic
  bytes[1] = version
  bytes[2] = kind | (codec << 5) | (encrypted ? 0x80 : 0)
  bytes[3] = keyId
  hashWireKey(wireKey)
  writeInt32(bytes, 4, hash1)
  writeInt32(bytes, 8, hash2)
  writeFloat64(bytes, 12, revision)
  writeFloat64(bytes, 20, stamp)
  writeFloat64(bytes, 28, endsAt)
}

/** Reads the header of what starts with the magic byte, or tells why it cannot. */
export function readHeader(
  bytes: Buffer,
  wireKey: string,
): Header | 'foreign' | 'truncated' | 'unknown version' | 'damaged header' {
  if (bytes.length < headerLength) return 'truncated'
  if (bytes[1] !== version) return 'unknown version'
  hashWireKey(wireKey)
  if (int32At(bytes, 4) !== hash1 || int32At(bytes, 8) !== hash2) return 'foreign'
  const flags = bytes[2]!
  const keyId = bytes[3]!
  const encrypted = flags >= 0x80
  const revision = float64At(bytes, 12)
  const stamp = float64At(bytes, 20)
  const endsAt = float64At(bytes, 28)
  const isSane = revision >= 0 && stamp >= 0 && endsAt >= 0 && (encrypted || keyId === 0)
  if (!isSane) return 'damaged header'
  return { kind: flags & 0x1f, codec: (flags >> 5) & 3, encrypted, keyId, revision, stamp, endsAt }
}

let hash1 = 0
let hash2 = 0

/** Two multiplicative hashes over the UTF-16 units, mixed at the end: cyrb53 by bryc (public domain), with all 64 bits. */
function hashWireKey(wireKey: string): void {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < wireKey.length; i++) {
    const unit = wireKey.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  hash1 = a
  hash2 = b
}

/** A third of the time of `readInt32BE`, which checks its arguments. */
function int32At(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function writeInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

const scratch = new DataView(new ArrayBuffer(8))

/** A part of the time of `readDoubleBE`, which checks its arguments. */
export function float64At(bytes: Buffer, at: number): number {
  scratch.setInt32(0, int32At(bytes, at))
  scratch.setInt32(4, int32At(bytes, at + 4))
  return scratch.getFloat64(0)
}

export function writeFloat64(bytes: Buffer, at: number, value: number): void {
  scratch.setFloat64(0, value)
  writeInt32(bytes, at, scratch.getInt32(0))
  writeInt32(bytes, at + 4, scratch.getInt32(4))
}
