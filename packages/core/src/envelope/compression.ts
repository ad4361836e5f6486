import * as nodeZlib from 'node:zlib'
import { optionError } from '../errors.ts'
import { parseSize, type Bytes, type Size } from '../units.ts'

/** How payloads are compressed. `docs/decisions/compression.md` has the measurements behind the defaults. */
export interface CompressionOptions {
  /** Payloads of this size and above are compressed; 0: all. Default: 8 kB. */
  readonly threshold?: Size | undefined
  /** What compresses; all are read. Default: `zstd` where this Node has it, else `brotli`. */
  readonly codec?: 'zstd' | 'brotli' | undefined
}

/** Makes payloads smaller where it pays, and inflates them within a bound. */
export interface Compression {
  /** Gives the codec's number and the bytes, or `undefined` where the payload is better left as it is. */
  deflate(payload: Uint8Array): { readonly codec: number; readonly bytes: Uint8Array } | undefined
  /** Whether this Node can inflate what a codec made. */
  reads(codec: number): boolean
  /** Gives the payload; throws for what is damaged, and {@link tooLarge} for what is larger than the bound. */
  inflate(codec: number, bytes: Buffer): Buffer
  /** The size, in bytes, from which on {@link deflate} can give anything; `Infinity` where compression is off. */
  readonly threshold: Bytes
}

/** The part of `node:zlib` that is used; before Node 22.15 and 23.8 it has no zstd, and types of older ones do not know it. */
export interface Zlib {
  readonly brotliCompressSync: Transform
  readonly brotliDecompressSync: Transform
  readonly zstdCompressSync?: Transform
  readonly zstdDecompressSync?: Transform
}

type Transform = (
  bytes: Uint8Array,
  options: { params?: Record<number, number>; maxOutputLength?: number; chunkSize?: number },
) => Buffer

export const codecs = { none: 0, zstd: 1, brotli: 2 } as const
/** What a payload declares that would inflate beyond the bound. */
export const tooLarge: RangeError = new RangeError('too large')

const defaultThreshold = 8192
/** A payload is kept as it is unless compression saves this share: inflating costs every reader. */
const leastSaving = 0.15
const lengthBytes = 4
const { constants } = nodeZlib

/** Creates compression; `inflated` is the most bytes that a payload may inflate to. */
export function createCompression(
  options: CompressionOptions | false,
  inflated: Bytes,
  zlib: Zlib = nodeZlib,
): Compression {
  const { zstdCompressSync, zstdDecompressSync, brotliCompressSync, brotliDecompressSync } = zlib
  const { codec: writes = zstdCompressSync ? 'zstd' : 'brotli', threshold = defaultThreshold } = options || {}
  if (writes !== 'zstd' && writes !== 'brotli') {
    throw optionError('compression.codec', '"zstd" or "brotli"', writes)
  }
  if (writes === 'zstd' && !zstdCompressSync) {
    throw optionError('compression.codec', '"brotli", as this version of Node has no zstd', writes)
  }
  // What a frame declares decides how much memory is set aside for it, so that is bounded too; 1 MB is what level 1 needs.
  const windowLog = Math.min(27, Math.max(20, Math.ceil(Math.log2(inflated))))

  function compress(payload: Uint8Array): Uint8Array {
    if (writes === 'zstd')
      return zstdCompressSync!(payload, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    const params = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: payload.length }
    return brotliCompressSync(payload, { params })
  }

  return {
    threshold: options === false ? Infinity : parseSize('compression.threshold', threshold),
    deflate(payload) {
      const compressed = compress(payload)
      const length = lengthBytes + compressed.length
      if (length > payload.length * (1 - leastSaving)) return undefined
      const bytes = Buffer.allocUnsafe(length)
      bytes.writeUInt32BE(payload.length, 0)
      bytes.set(compressed, lengthBytes)
      return { codec: codecs[writes], bytes }
    },
    reads: (codec) => codec === codecs.brotli || (codec === codecs.zstd && zstdDecompressSync !== undefined),
    inflate(codec, bytes) {
      const length = bytes.readUInt32BE(0)
      if (length > inflated) throw tooLarge
      // Exactly what was declared, or damaged; room for a byte more, so that zlib needs no second chunk to see the end.
      const bound = { maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length + 1) }
      const compressed = bytes.subarray(lengthBytes)
      const payload =
        codec === codecs.zstd
          ? zstdDecompressSync!(compressed, {
              ...bound,
              params: { [constants.ZSTD_d_windowLogMax]: windowLog },
            })
          : brotliDecompressSync(compressed, bound)
      if (payload.length !== length) throw new RangeError('not of the declared length')
      return payload
    },
  }
}
