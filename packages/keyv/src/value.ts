import { HoldfastError } from '@holdfast/core'
import { deserialize, serialize } from 'node:v8'

/**
 * Gives what is stored for a value. Text, which is what Keyv hands over where it serialises, and bytes are stored as they are.
 * Anything else comes from a Keyv without serialization, which keeps Dates, Maps and Buffers at any depth; so do we, in a
 * `DataView`, which stands for nothing else.
 */
export function packed(value: unknown): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  try {
    const bytes = serialize(value)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (cause) {
    throw new HoldfastError(
      'ERR_HOLDFAST_NOT_SERIALISABLE',
      'The value cannot be stored: it holds what has no copy.',
      { cause },
    )
  }
}

/** Gives the value of what is stored; `undefined`: there is none, or none that this version of Node can read. */
export function unpacked(stored: unknown): unknown {
  if (!(stored instanceof DataView)) return stored
  try {
    return deserialize(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength))
  } catch {
    return undefined
  }
}
