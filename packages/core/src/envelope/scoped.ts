import { fromJson } from './json.ts'
import { float64At, writeFloat64 } from './layout.ts'

/** A tag, and which version of it an entry belongs to. */
export type TagVersion = readonly [tag: string, version: number]

/** A value and what it hangs on: it counts as long as the generation and the versions of its tags are still these. */
export class Scoped {
  readonly value: unknown
  readonly generation: number
  readonly tags: readonly TagVersion[]

  constructor(value: unknown, generation: number, tags: readonly TagVersion[] = none) {
    this.value = value
    this.generation = generation
    this.tags = tags
  }
}

const none: readonly TagVersion[] = []

/**
 * What stands before the content of a scoped payload: the kind of the value (1 byte), the generation (float64), the length
 * of the tags (2 bytes), and the tags as JSON where there are any.
 */
const fixedScope = 11

/** Gives the bytes before a scoped content. Throws a `RangeError` where the tags take more than 64 kB. */
export function writeScope(kind: number, { generation, tags }: Scoped): Buffer {
  const text = tags.length === 0 ? '' : JSON.stringify(tags)
  const length = Buffer.byteLength(text)
  if (length > 0xffff) throw new RangeError('the tags take more than 64 kB')
  const bytes = Buffer.allocUnsafe(fixedScope + length)
  bytes[0] = kind
  writeFloat64(bytes, 1, generation)
  bytes[9] = length >>> 8
  bytes[10] = length
  if (length > 0) bytes.write(text, fixedScope)
  return bytes
}

/** Reads what {@link writeScope} wrote; `start` is where the content begins. Throws for what is damaged. */
export function readScope(
  bytes: Buffer,
  at: number,
): { kind: number; generation: number; tags: readonly TagVersion[]; start: number } {
  const length = (bytes[at + 9]! << 8) | bytes[at + 10]!
  const start = at + fixedScope + length
  if (!(start <= bytes.length)) throw new RangeError('a scope that is longer than its payload')
  const tags = length === 0 ? none : tagsOf(bytes.toString('utf8', at + fixedScope, start))
  return { kind: bytes[at]!, generation: float64At(bytes, at + 1), tags, start }
}

function tagsOf(text: string): readonly TagVersion[] {
  const tags = fromJson(text)
  const isTag = (tag: unknown): boolean =>
    Array.isArray(tag) && tag.length === 2 && typeof tag[0] === 'string' && typeof tag[1] === 'number'
  if (Array.isArray(tags) && tags.every(isTag)) return tags
  throw new TypeError('tags of another form')
}
