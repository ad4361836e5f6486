import {
  readSecrets,
  type AdapterContinuityOptions,
  type AdapterSessionOptions,
  type SessionContinuity,
} from '@holdfast/core'
import type { Session } from 'fastify'

/**
 * A session as the options' functions get it: as the application declares it in Fastify's `Session`. A date may be a
 * text, in the cookie too, as in JSON.
 */
export type SessionContent = Readonly<Session>

/** The options of the continuity token. */
export interface ContinuityOptions extends AdapterContinuityOptions<SessionContent> {}

/** The options of {@link HoldfastStore}: those of a Holdfast of its own, or one that it shares, and the sessions'. */
export interface HoldfastStoreOptions extends AdapterSessionOptions<SessionContent> {}

/**
 * Gives the secrets that the token's keys are derived from, or nothing for a signer, which shows none. How long they have to
 * be, @fastify/session says; of what is neither text nor Buffer it throws where nobody can catch it.
 */
export function secretsOf(secret: unknown): SessionContinuity['secrets'] | undefined {
  const { sign, unsign } = (secret ?? {}) as { sign?: unknown; unsign?: unknown }
  const isSigner = typeof sign === 'function' && typeof unsign === 'function'
  return isSigner ? undefined : readSecrets(secret, theirSecrets, isTheirs)
}

const theirSecrets = 'a text that is not empty, an array of such texts or Buffers, or a signer'

function isTheirs(secret: unknown): boolean {
  return typeof secret === 'string' || Buffer.isBuffer(secret)
}
