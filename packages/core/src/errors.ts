/** Every code a {@link HoldfastError} can carry; `docs/errors.md` explains each. */
export type HoldfastErrorCode =
  | 'ERR_HOLDFAST_OPTION'
  | 'ERR_HOLDFAST_CLOSED'
  | 'ERR_HOLDFAST_UNAVAILABLE'
  | 'ERR_HOLDFAST_REJECTED'
  | 'ERR_HOLDFAST_KEY'
  | 'ERR_HOLDFAST_VALUE_TOO_LARGE'
  | 'ERR_HOLDFAST_NOT_SERIALISABLE'
  | 'ERR_HOLDFAST_UNREADABLE'
  | 'ERR_HOLDFAST_FACTORY_TIMEOUT'
  | 'ERR_HOLDFAST_OVERLOADED'

/**
 * The one error class of Holdfast. `code` says what happened, `cause` keeps the client's own error.
 * The message never holds a session id, a key, a value or a credential.
 */
export class HoldfastError extends Error {
  readonly code: HoldfastErrorCode
  /** The HTTP status that fits the error; frameworks read it. 503 where something is away or overloaded, 500 otherwise. */
  readonly status: number

  constructor(code: HoldfastErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'HoldfastError'
    this.code = code
    this.status = temporary.has(code) ? 503 : 500
  }
}

const temporary: ReadonlySet<HoldfastErrorCode> = new Set([
  'ERR_HOLDFAST_UNAVAILABLE',
  'ERR_HOLDFAST_FACTORY_TIMEOUT',
  'ERR_HOLDFAST_OVERLOADED',
])

/** Builds the error for a bad option: it names the option and what was given, which must hold no secret. */
export function optionError(option: string, expected: string, given: unknown): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_OPTION',
    `Option "${option}" must be ${expected}; got ${shown(given)}.`,
  )
}

/** Builds the error for an option that there is not; it shows no value, which may be a secret. */
export function unknownOption(option: string, instead = ''): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_OPTION', `There is no option "${option}"${instead}.`)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
