import { Buffer, isUtf8 } from 'node:buffer'
import { fromJson, notSerialisable, toJson } from './json.ts'
import { readScope, Scoped, scopeText, writeScope, type ScopeText } from './scoped.ts'

/**
 * What a payload is; the numbers are on the wire and never change their meaning. Bytes of several at a time are in the
 * byte order of the machine that wrote them: little-endian, but for s390x and AIX.
 */
const kinds = {
  json: 0,
  undefined: 1,
  /** UTF-8 without quotes or escapes: a tenth of the time of JSON for a page of HTML. */
  string: 2,
  Buffer: 3,
  ArrayBuffer: 4,
  DataView: 5,
  Int8Array: 6,
  Uint8Array: 7,
  Uint8ClampedArray: 8,
  Int16Array: 9,
  Uint16Array: 10,
  Int32Array: 11,
  Uint32Array: 12,
  Float16Array: 13,
  Float32Array: 14,
  Float64Array: 15,
  BigInt64Array: 16,
  BigUint64Array: 17,
  /** One of the others, behind what it hangs on. */
  scoped: 18,
}

const kindOfName: ReadonlyMap<string, number> = new Map(Object.entries(kinds))

type View = new (buffer: ArrayBuffer) => ArrayBufferView

/** How to make each kind of view from bytes of its own; throws where the length does not fit. */
const views: readonly (View | undefined)[] = [
  ...Array.from({ length: 5 }, () => undefined),
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  // Node 24 and later.
  (globalThis as { Float16Array?: View }).Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]

/** A value ready to be written: as text (to be encoded as UTF-8) or as bytes that are the caller's. */
interface Content {
  readonly kind: number
  readonly content: string | Uint8Array
}

export interface Payload extends Content {
  /** What the content hangs on; `kind` is that of the content then. */
  readonly scope: ScopeText | undefined
}

const nothing = new Uint8Array(0)

/** Gives a value's kind and content, and what it hangs on; throws `ERR_HOLDFAST_NOT_SERIALISABLE` for one that has none. */
export function toPayload(value: unknown): Payload {
  const scoped = value instanceof Scoped ? value : undefined
  const { kind, content } = toContent(scoped ? scoped.value : value)
  return { kind, content, scope: scoped && scopeText(scoped) }
}

function toContent(value: unknown): Content {
  // Lone surrogates have no UTF-8; JSON escapes them.
  if (typeof value === 'string' && value.isWellFormed()) return { kind: kinds.string, content: value }
  if (value === undefined) return { kind: kinds.undefined, content: nothing }
  if (isBinary(value)) return { kind: binaryKind(value), content: bytesOf(value) }
  return { kind: kinds.json, content: toJson(value) }
}

/** Gives the kind that the header names. */
export function kindOf({ kind, scope }: Payload): number {
  return scope ? kinds.scoped : kind
}

/** Gives how many bytes a payload takes. */
export function payloadLength({ content, scope }: Payload): number {
  const length = typeof content === 'string' ? Buffer.byteLength(content) : content.length
  return scope ? scope.length + length : length
}

/** Writes a payload of a length that was worked out before to the end of some bytes. */
export function writePayload(bytes: Buffer, length: number, { kind, content, scope }: Payload): void {
  const at = bytes.length - length
  if (scope) writeScope(bytes, at, kind, scope)
  const start = scope ? at + scope.length : at
  if (typeof content !== 'string') bytes.set(content, start)
  // As many bytes as characters is ASCII, which takes a tenth of the time.
  else bytes.write(content, start, start + content.length === bytes.length ? 'latin1' : 'utf8')
}

/** Whether a value travels as raw bytes; plain JSON has no form for such. */
export function isBinary(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer
}

function binaryKind(value: ArrayBuffer | ArrayBufferView): number {
  if (Buffer.isBuffer(value)) return kinds.Buffer
  const kind = kindOfName.get(Object.prototype.toString.call(value).slice('[object '.length, -1))
  if (kind === undefined) throw notSerialisable('its kind of typed array is not known')
  return kind
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

/** Whether this version, on this Node, knows a kind. */
export function isKnownKind(kind: number): boolean {
  return kind <= kinds.ArrayBuffer || views[kind] !== undefined || kind === kinds.scoped
}

/** Gives the value of a payload of a known kind, from a position on; bytes come back as copies. Throws for damaged ones. */
export function fromPayload(kind: number, bytes: Buffer, start: number): unknown {
  switch (kind) {
    case kinds.json:
      return fromJson(textOf(bytes, start))
    case kinds.string:
      return textOf(bytes, start)
    case kinds.undefined:
      if (bytes.length > start) throw new RangeError('a payload where there is none')
      return undefined
    case kinds.Buffer:
      return Buffer.from(copyOf(bytes, start))
    case kinds.ArrayBuffer:
      return copyOf(bytes, start)
    case kinds.scoped: {
      const scope = readScope(bytes, start)
      if (scope.kind === kinds.scoped || !isKnownKind(scope.kind)) throw new TypeError('a scope in a scope')
      const value = fromPayload(scope.kind, bytes, scope.start)
      return new Scoped(value, scope.generation, scope.tags, bytes.length - scope.start)
    }
    default:
      return new views[kind]!(copyOf(bytes, start))
  }
}

/** Reads UTF-8; throws where it is none, as the text would not be what was written. */
export function textOf(bytes: Buffer, start: number): string {
  const text = bytes.toString('utf8', start)
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start))) throw new TypeError('not UTF-8')
  return text
}

/** A buffer of its own: what is read may be a slice of a whole reply, which must not live as long as the value. */
function copyOf(bytes: Buffer, start: number): ArrayBuffer {
  const copy = new Uint8Array(bytes.length - start)
  copy.set(bytes.subarray(start))
  return copy.buffer
}
