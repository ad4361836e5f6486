import { isBinary } from '../envelope/payload.ts'

/** Freezes a value as it came out of JSON, at any depth. Walks without recursion: JSON may be nested deeper than the stack. */
export function frozen<T>(value: T): T {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || isBinary(next)) continue
    Object.freeze(next)
    if (Array.isArray(next)) for (const child of next) pending.push(child)
    else for (const key in next) pending.push((next as Record<string, unknown>)[key])
  }
  return value
}

/** What to hand out of a frozen value that is kept: itself, but for bytes, which cannot be frozen. */
export function handedOut(value: unknown): unknown {
  if (!isBinary(value)) return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof DataView) return new DataView(value.buffer.slice(0))
  return (value as Uint8Array | ArrayBuffer).slice(0)
}
