import {
  answer,
  openSessions,
  refuseUnknownOptions,
  sessionOptionNames,
  HoldfastError,
  type Callback,
  type HeldSessions,
  type Holdfast,
  type Loaded,
  type SessionData,
  type Sessions,
} from '@holdfast/core'
import type { FastifySessionOptions } from '@fastify/session'
import type { Session } from 'fastify'
import type { HoldfastStoreOptions } from './options.ts'
import { cookieSettings, plain, Visits } from './visits.ts'

/**
 * The store behind the plugin. No method fails or waits because Redis is away, unless the rule is `refuse`. Made for the
 * plugin, which brings the continuity tokens: @fastify/session alone shows it neither requests nor its session objects.
 */
export class HoldfastStore implements NonNullable<FastifySessionOptions['store']> {
  /** State, events and health. */
  readonly holdfast: Holdfast
  /** Lists and ends a user's sessions, where `userId` says whose they are. */
  readonly sessions: Sessions
  /** For the plugin alone. */
  readonly visits: Visits = new Visits()
  readonly #held: HeldSessions

  constructor(options: HoldfastStoreOptions = {}) {
    refuseUnknownOptions(options, sessionOptionNames)
    this.#held = openSessions(options)
    this.holdfast = this.#held.holdfast
    this.sessions = this.#held.sessions
  }

  get(sessionId: string, callback: Callback<Session | null>): void {
    void answer(this.sessions.load(sessionId, this.visits.token), (error, loaded) => {
      if (error || !loaded || loaded.status === 'missing') return callback(error, null)
      const data = shown(loaded)
      this.visits.loaded(data, loaded)
      this.visits.answering(loaded, () => callback(null, data as unknown as Session))
    })
  }

  set(sessionId: string, session: Session, callback: Callback<void> = ignore): void {
    void answer(this.#save(sessionId, session), callback)
  }

  destroy(sessionId: string, callback: Callback<void> = ignore): void {
    const { ending } = this.visits
    ending.add(sessionId)
    void answer(this.sessions.end(sessionId), (error) => {
      ending.delete(sessionId)
      callback(error)
    })
  }

  /** Lets go of Redis, so that the process can exit. A Holdfast that was handed in stays open. */
  async close(): Promise<void> {
    await this.#held.close()
  }

  /** With `rolling`, which is the default, @fastify/session saves on every request: what is unchanged is only extended. */
  async #save(id: string, session: Session): Promise<void> {
    const data = stored(session)
    const held = this.visits.held(session)
    if (held && this.sessions.isUnchanged(data, held.loaded) && held.settings === cookieSettings(session))
      return this.sessions.touch(id, data, held.loaded)
    const saved = await this.sessions.save(id, data, held?.loaded)
    // One that is gone meanwhile is still based on what it was: else a second save would take it for a new one.
    if (saved.status !== 'missing') this.visits.saved(session, saved)
  }
}

/**
 * What @fastify/session makes its session object of. It takes a stored `expires` that has passed for the end of the session;
 * but that date is as old as the last change, however often the session was extended since.
 */
function shown(loaded: Exclude<Loaded, { status: 'missing' }>): SessionData {
  if (loaded.status === 'unknown') return {}
  const { cookie } = loaded.data
  const { originalMaxAge, expires } = cookie ?? {}
  const now = Date.now()
  const isOutOfDate = typeof originalMaxAge === 'number' && new Date(expires as Date).getTime() <= now
  return isOutOfDate
    ? { ...loaded.data, cookie: { ...cookie, expires: new Date(now + originalMaxAge) } }
    : { ...loaded.data }
}

/** What is stored of a session object: its own keys, and its cookie as @fastify/session writes it. */
export function stored(session: object): SessionData {
  if (typeof session !== 'object' || session === null)
    throw new HoldfastError('ERR_HOLDFAST_NOT_SERIALISABLE', 'A session must be an object.')
  const data: Record<string, unknown> = Object.fromEntries(Object.entries(session))
  return { ...data, cookie: plain(data['cookie']) }
}

function ignore(): void {}
