import { HoldfastError, type Degraded, type Loaded } from '@holdfast/core'
import type { FastifyRequest } from 'fastify'
import { HoldfastStore } from './store.ts'

/**
 * Tells what a request's session runs on: `false` where Redis stands behind it; while Redis is away `memory` (this process has
 * seen it), `token` (only its continuity token says so) or `empty` (nothing here knows it: an empty session under the
 * visitor's own id). For what must not run on a token alone: `if (degraded(request)) return reply.code(503).send()`.
 * Throws `ERR_HOLDFAST_OPTION` for a request without these sessions, rather than to say that all is well.
 */
export function degraded(request: FastifyRequest): Degraded {
  const store: unknown = request.sessionStore
  if (!(store instanceof HoldfastStore))
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      'This request has no session of Holdfast: register the plugin in its context.',
    )
  const session = request.session as object | null
  const held = session ? store.visits.held(session) : undefined
  if (!held) return store.holdfast.state === 'healthy' ? false : 'memory'
  return runsOn(held.first) || runsOn(held.loaded)
}

/** What a session was loaded as, or saved as. */
export function runsOn(loaded: Loaded | undefined): Degraded {
  if (loaded?.status === 'found') return loaded.degraded
  return loaded?.status === 'unknown' ? 'empty' : false
}
