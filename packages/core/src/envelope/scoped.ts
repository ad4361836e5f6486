import { Buffer } from 'node:buffer'
import { fromJson } from './json.ts'
import { float64At, writeFloat64 } from './layout.ts'
import type { Bytes } from '../units.ts'

/** A tag, and which version of it an entry belongs to. */
export type TagVersion = readonly [tag: string, version: number]

/** A value and what it hangs on: it counts as long as the generation and the versions of its tags are still these. */
export class Scoped {
  readonly value: unknown
  readonly generation: number
  readonly tags: readonly TagVersion[]
  /** How many bytes the value took, inflated, where it was read; else 0. */
  readonly size: Bytes

  constructor(value: unknown, generation: number, tags: readonly TagVersion[] = none, size: Bytes = 0) {
    this.value = value
    this.generation = generation
    this.tags = tags
    this.size = size
  }
}

const none: readonly TagVersion[] = []

/**
 * What stands before the content of a scoped payload: the kind of the value (1 byte), the generation (float64), the length
 * of the tags (2 bytes), and the tags as JSON where there are any.
 */
const fixedScope = 11

/** What stands before a scoped content, ready to be written. */
export interface ScopeText {
  readonly generation: number
  /** The tags as JSON; `''` where there are none. */
  readonly tags: string
  /** How many bytes it takes. */
  readonly length: number
}

/** Throws a `RangeError` where the tags take more than 64 kB. */
export function scopeText({ generation, tags }: Scoped): ScopeText {
  if (tags.length === 0) return { generation, tags: '', length: fixedScope }
  const text = JSON.stringify(tags)
  const length = Buffer.byteLength(text)
  if (length > 0xffff) throw new RangeError('the tags take more than 64 kB')
  return { generation, tags: text, length: fixedScope + length }
}

/** Writes what stands before a content of a kind. */
export function writeScope(bytes: Buffer, at: number, kind: number, scope: ScopeText): void {
  const tags = scope.length - fixedScope
  bytes[at] = kind
  writeFloat64(bytes, at + 1, scope.generation)
  bytes[at + 9] = tags >>> 8
  bytes[at + 10] = tags
  if (tags > 0) bytes.write(scope.tags, at + fixedScope)
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
