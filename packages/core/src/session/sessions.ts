import { createFacts, type EngineOptions } from './facts.ts'
import { createListing } from './listing.ts'
import type { Loaded } from './loaded.ts'
import { createRecall } from './recall.ts'
import { createSaving } from './saving.ts'
import type { SessionData } from './session-data.ts'

/** A session and its id. */
export interface SessionEntry {
  readonly id: string
  readonly data: SessionData
}

/** One of a user's sessions, as it may be shown to the user. */
export interface UserSession {
  /** Names the session to {@link Sessions.endOne}; safe to show, as it is not the id. */
  readonly handle: string
  /** When the session became this user's, in ms since the epoch; 0 where that is not known. */
  readonly startedAt: number
  /** When it was changed last, in ms since the epoch; 0 where that is not known. */
  readonly changedAt: number
  /** What the option `note` made of it. */
  readonly note: unknown
}

/**
 * Sessions that go on while Redis is away: from their continuity token and this process' memory, writes included, which
 * reach Redis on recovery, merged by top-level key with what Redis has.
 *
 * Under the rules `token` and `memory` no method rejects because Redis is away, but for `clear` and `endOne`; under `refuse` all of
 * them do, with `ERR_HOLDFAST_UNAVAILABLE`.
 */
export interface Sessions {
  /** The rule that is in force. */
  readonly rule: 'token' | 'memory' | 'refuse'
  /** What the first save of a new session is based on. */
  begin(): Loaded
  /** Whether this session was ended, here or in a process that this one heard of. */
  isEnded(id: string): boolean
  /** Loads a session, with the help of the continuity token that came with it. */
  load(id: string, token?: string): Promise<Loaded>
  /**
   * Stores a session; gives what a next save of the same request is based on. A session that was loaded and has been
   * ended meanwhile stays ended. Where somebody else changed it too, both changes stay; of one top-level key the later
   * value. What was saved over an `unknown` session is added to it key by key, once Redis can be asked.
   */
  save(id: string, data: SessionData, from?: Loaded): Promise<Loaded>
  /**
   * Extends a session that is what it was loaded as, if a set share of its ttl has passed since it was extended last. Its
   * {@link Sessions.tokenFor} takes that for granted until it is saved.
   */
  touch(id: string, data: SessionData, from?: Loaded): Promise<void>
  /**
   * Ends a session for good, in this process at once and in all that are connected within milliseconds; its tokens and any
   * late write of it count as nothing. While degraded the others hear of it on recovery.
   */
  end(id: string): Promise<void>
  /** Gives a user's sessions, the last changed first; while degraded those that this process knows. Needs the option `userId`. */
  list(user: string | number): Promise<UserSession[]>
  /** The handle of a session in {@link Sessions.list}. */
  handleOf(id: string): string
  /**
   * Ends the one of a user's sessions that has this handle; `false` where there is none. Rejects with `ERR_HOLDFAST_UNAVAILABLE`
   * while degraded for one that this process does not know. Needs the option `userId`.
   */
  endOne(user: string | number, handle: string): Promise<boolean>
  /** Ends all sessions of a user that began until now, but for the one with the id `except`. Needs the option `userId`. */
  endAll(user: string | number, options?: { readonly except?: string | undefined }): Promise<void>
  /**
   * Gives the continuity token that a response should set; `undefined` where the visitor's is to stay as it is: the session is
   * unchanged and the token fresh, or it is unknown or ended; `''` where the visitor's is to be cleared: the session has changed,
   * and a token of it cannot be had, as it would be beyond the cookie budget of 3.8 kB. Synchronous, and the same before, during and after a save
   * that is given the same `from`, as headers may leave before it ends. `overhead` gives the bytes of the cookie without the
   * token; it is asked just before a token is made.
   */
  tokenFor(id: string, data: SessionData, from: Loaded, overhead: () => number): string | undefined
  /** Whether a session is still what it was loaded as, or saved as last; its cookie does not count. */
  isUnchanged(data: SessionData, from: Loaded): boolean
  /** All ids; while degraded those that this process knows. */
  ids(): Promise<string[]>
  /** All sessions; while degraded those that this process knows. */
  all(): Promise<SessionEntry[]>
  /** How many there are; while degraded how many this process knows. */
  count(): Promise<number>
  /**
   * Ends all sessions under the prefix. Rejects with `ERR_HOLDFAST_UNAVAILABLE` while degraded, and where Redis did not answer for
   * each of them: then some may not be known, and others hear of later.
   */
  clear(): Promise<void>
}

/** Creates the session engine. */
export function createSessions(options: EngineOptions): Sessions {
  const { entries, endings, continuity, clock } = options
  const facts = createFacts(options)
  const { knownOf, digest, isEnded, usualLifetime, missing } = facts

  /** Tells whether Redis heard of it. */
  async function end(id: string): Promise<boolean> {
    const now = clock.now()
    const { digest: session, until } = knownOf(id)
    const left = Math.max(until, now + usualLifetime(), now + (continuity?.lifetime ?? 0))
    facts.forget(id)
    return endings.end({ of: 'session', session, until: left }, (tell) => entries.delete(id, tell))
  }

  return {
    rule: options.rule,
    begin: missing,
    isEnded,
    load: createRecall(options, facts, end),
    end: async (id) => void (await end(id)),
    handleOf: digest,
    ...createSaving(options, facts, end),
    ...createListing(options, facts, end),
  }
}
