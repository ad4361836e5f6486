import { Buffer } from 'node:buffer'

/** Names the property. In its JSON, Buffers and text that begins with a colon are as Keyv writes them. */
const mark = '@holdfast/cache-nestjs:json'
const bytesMark = ':base64:'

/**
 * Gives what is stored for a value: itself, unless it holds Buffers, which Keyv's JSON keeps and the engine's does not. Then it is an
 * object of one property, which is that JSON.
 */
export function packed(value: unknown): unknown {
  try {
    return holdsBuffer(value) || isPacked(value) ? { [mark]: JSON.stringify(value, write) } : value
  } catch {
    // It refers to itself, or its toJSON throws: so the engine will say, with its own error.
    return value
  }
}

/** Gives the value of what is stored; with Buffers inside, a copy for each call. */
export function unpacked(stored: unknown): unknown {
  return isPacked(stored) ? JSON.parse(stored[mark], read) : stored
}

/** Whether what is stored is the JSON of a value. */
export function isPacked(stored: unknown): stored is { readonly [mark]: string } {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    typeof (stored as { [mark]?: unknown })[mark] === 'string'
  )
}

/** Whether there is a Buffer within; a value that is one the engine keeps. Throws for one that refers to itself. */
function holdsBuffer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (Array.isArray(value)) return value.some(isOrHoldsBuffer)
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return !(value instanceof Date) && isOrHoldsBuffer(toJSON.call(value))
  for (const key in value) if (isOrHoldsBuffer((value as Record<string, unknown>)[key])) return true
  return false
}

function isOrHoldsBuffer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Buffer.isBuffer(value) || holdsBuffer(value))
}

/** For `JSON.stringify`, which hands over what a Buffer's toJSON gave. */
function write(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const given = this[key]
  if (Buffer.isBuffer(given)) return `${bytesMark}${given.toString('base64')}`
  return typeof value === 'string' && value.startsWith(':') ? `:${value}` : value
}

function read(key: string, value: unknown): unknown {
  // It would set a prototype where the value is merged or copied.
  if (key === '__proto__') return undefined
  if (typeof value !== 'string' || !value.startsWith(':')) return value
  return value.startsWith(bytesMark) ? Buffer.from(value.slice(bytesMark.length), 'base64') : value.slice(1)
}
