import { Buffer } from 'node:buffer'
import type { Reply } from './port.ts'

/**
 * The error for an answer that cannot be the answer to this call. `integrity: true` tells the layer above that the
 * connection's replies have shifted, and that nothing in flight on it can be believed.
 */
export function integrityError(
  expected: string,
): Error & { readonly code: string; readonly integrity: true } {
  const error = new Error(`Redis answered with something other than ${expected}.`)
  return Object.assign(error, { code: 'ERR_HOLDFAST_UNREADABLE', integrity: true as const })
}

/** Gives the bytes of a bulk reply, `undefined` for none. */
export function bytesOf(reply: Reply | undefined): Buffer | undefined {
  if (reply === null) return undefined
  if (Buffer.isBuffer(reply)) return reply
  throw integrityError('bytes')
}

/** Gives an integer reply. */
export function integerOf(reply: Reply | undefined): number {
  if (typeof reply === 'number' && Number.isSafeInteger(reply)) return reply
  throw integrityError('a whole number')
}

/** Gives an array reply of a known length. */
export function arrayOf(reply: Reply | undefined, length: number): readonly Reply[] {
  if (Array.isArray(reply) && reply.length === length) return reply
  throw integrityError(`${length} values`)
}

/** Checks for a status reply such as `OK`. */
export function expectStatus(reply: Reply, status: string): void {
  if (!isText(reply, status)) throw integrityError(status)
}

/** Whether a reply is this text, as a simple or a bulk string. */
export function isText(reply: Reply | undefined, text: string): boolean {
  if (typeof reply === 'string') return reply === text
  if (!Buffer.isBuffer(reply) || reply.length !== text.length) return false
  for (let at = 0; at < text.length; at++) if (reply[at] !== text.charCodeAt(at)) return false
  return true
}

/**
 * Takes a command's arguments out of a client's error, which would carry session ids and values into logs: the
 * `command` ioredis attaches, and what is quoted in the message. Gives the same error.
 */
export function withoutArguments<E>(error: E): E {
  if (!(error instanceof Error)) return error
  const loose = error as Error & { command?: unknown; args?: unknown }
  if (loose.command !== undefined) delete loose.command
  if (loose.args !== undefined) delete loose.args
  const message = error.message.replace(quoted, '').replace(scripted, '$1')
  if (message !== error.message) {
    // The stack begins with the message.
    if (error.stack) error.stack = error.stack.split(error.message).join(message)
    error.message = message
  }
  return error
}

/** Rejects with an error freed of arguments: for `catch`. */
export function rethrowWithoutArguments(error: unknown): never {
  throw withoutArguments(error)
}

/** What Redis quotes of a command it does not know, and ioredis of a reply nobody waited for. */
const quoted = /,? *(with args beginning with|Last (reply|error)):[\s\S]*$/
/** Redis 6 hides the word that says what went wrong behind where in the script it did. */
const scripted = /^ERR .*@user_script: *\d+: *-?([A-Z]{3,} )/
