import type { Availability } from '../availability/availability.ts'
import type { Clock } from '../clock.ts'
import type { Entries } from '../degradation/entries.ts'
import type { Events } from '../events.ts'
import { createLru } from '../lru.ts'
import { defaultTtl, type TtlPolicy } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'
import type { ContinuityTokens } from './continuity.ts'
import { digestOf } from './digest.ts'
import type { Endings } from './endings.ts'
import { draftOf, type Loaded, type LoadedSession } from './loaded.ts'
import { userDigest, type SessionData, type UserIdOf } from './session-data.ts'
import type { UserIndex } from './user-sessions.ts'

/** What the session engine is made of. */
export interface EngineOptions {
  readonly rule: 'token' | 'memory' | 'refuse'
  readonly entries: Entries
  readonly endings: Endings
  readonly index: UserIndex
  readonly continuity: (ContinuityTokens & { readonly lifetime: Milliseconds }) | undefined
  readonly availability: Availability
  readonly events: Events
  readonly ttl: TtlPolicy
  readonly userId: UserIdOf | undefined
  readonly note: ((session: SessionData) => unknown) | undefined
  /** The share of its ttl that has to pass before a session is extended; 0: each time. */
  readonly touchAfter: number
  readonly clock: Clock
}

/** What is known of a session beside its entry. */
interface Known {
  readonly digest: string
  /** The newest revision that was seen; 0: none. */
  revision: number
  /** Until when Redis keeps it, in ms since the epoch; 0: not known. */
  until: number
}

const rememberedSessions = 50_000
/** What the parts of the engine know in common of a session. */
export interface Facts {
  knownOf(id: string): Known
  /** Forgets what was seen of a session. */
  forget(id: string): void
  digest(id: string): string
  isEnded(id: string): boolean
  /** The digest of a session's user. */
  userOf(data: SessionData): string | undefined
  lifetimeOf(data: SessionData, endsAt: number): Milliseconds
  /** How long a session lives of which nothing is known. */
  usualLifetime(): Milliseconds
  /** Remembers the revision of a session that is handed out. */
  noted(id: string, loaded: LoadedSession): Loaded
  missing(): Loaded
  /** There is no such session any more, and somebody asked for it. */
  ended(): Loaded
}

export function createFacts(options: EngineOptions): Facts {
  const { entries, endings, events, ttl, clock } = options
  /** What this process knows of a session, so that it need not be worked out or asked again. */
  const known = createLru<Known>(rememberedSessions)

  function knownOf(id: string): Known {
    const there = known.get(id)
    if (there) return there
    const made = { digest: digestOf(entries.wireKey(id)), revision: 0, until: 0 }
    known.set(id, made)
    return made
  }

  function digest(id: string): string {
    return knownOf(id).digest
  }

  function isEnded(id: string): boolean {
    return !endings.isEmpty() && endings.isEnded(digest(id))
  }

  function userOf(data: SessionData): string | undefined {
    return userDigest(data, options.userId)
  }

  function lifetimeOf(data: SessionData, endsAt: number): Milliseconds {
    return ttl.ttlFor(data, { now: clock.now(), cookie: data.cookie, endsAt })
  }

  /** How long a session lives of which nothing is known; a function that asks more of a session has no answer. */
  function usualLifetime(): Milliseconds {
    try {
      return lifetimeOf({}, 0)
    } catch {
      return defaultTtl
    }
  }

  function noted(id: string, loaded: LoadedSession): Loaded {
    const there = knownOf(id)
    there.revision = Math.max(there.revision, loaded.draft.revision)
    return loaded
  }

  function missing(): Loaded {
    return { status: 'missing', draft: draftOf({}) }
  }

  function ended(): Loaded {
    events.emit('session', { outcome: 'ended', reason: 'it was ended before' })
    return missing()
  }

  return {
    knownOf,
    forget: (id) => void known.delete(id),
    digest,
    isEnded,
    userOf,
    lifetimeOf,
    usualLifetime,
    noted,
    missing,
    ended,
  }
}
