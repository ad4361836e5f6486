import { HoldfastError } from '../errors.ts'

/** Writes a value as JSON; throws `ERR_HOLDFAST_NOT_SERIALISABLE` with the reason for one that has no JSON. */
export function toJson(value: unknown): string {
  let text: string | undefined
  if (isFormless(value)) throw notSerialisable(`JSON has no form for a ${value.constructor.name}`)
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw notSerialisable(reasonOf(cause), cause)
  }
  if (text === undefined) throw notSerialisable(`JSON has no form for ${formless(value)}`)
  return text
}

/** What JSON takes for an empty object: mistaken for a value, such as a promise that nobody waited for, or a loss. */
function isFormless(value: unknown): value is object {
  const isOne =
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise ||
    value instanceof RegExp ||
    value instanceof Error
  return isOne && typeof (value as { toJSON?: unknown }).toJSON !== 'function'
}

/** Builds the error for a value that cannot be stored; the reason holds nothing of the value. */
export function notSerialisable(reason: string, cause?: unknown): HoldfastError {
  const options = cause === undefined ? undefined : { cause }
  return new HoldfastError('ERR_HOLDFAST_NOT_SERIALISABLE', `The value cannot be stored: ${reason}.`, options)
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError)
    return /stack/i.test(error.message) ? 'it is nested too deeply' : 'its JSON is too long'
  if (!(error instanceof TypeError)) return 'turning it into JSON threw an error'
  if (/circular/i.test(error.message)) return 'it refers to itself'
  return /BigInt/.test(error.message)
    ? 'JSON has no form for a BigInt'
    : 'turning it into JSON threw an error'
}

function formless(value: unknown): string {
  return typeof value === 'object' ? 'what its toJSON gave' : typeof value
}

/**
 * Reads JSON without a reviver. No object it gives has an own `__proto__`, which would set a prototype when it is merged
 * or copied; such keys are dropped at any depth. Throws a `SyntaxError` for what is not JSON.
 */
export function fromJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return mayHoldProto(text) ? withoutProto(value) : value
}

/** The letters of `__proto__`, escaped: `JSON.stringify` never does that, other writers may. */
const escapedLetter = /\\u00(?:5f|6f|70|72|74)/i

function mayHoldProto(text: string): boolean {
  return text.includes('__proto__') || (text.includes('\\u00') && escapedLetter.test(text))
}

/** Walks without recursion: JSON may be nested deeper than the stack. */
function withoutProto(value: unknown): unknown {
  const pending = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__')) delete (next as { ['__proto__']?: unknown })['__proto__']
    for (const child of Object.values(next)) pending.push(child)
  }
  return value
}
