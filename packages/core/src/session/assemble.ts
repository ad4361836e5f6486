import type { Availability } from '../availability/availability.ts'
import type { Backend } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Entries, EntriesOptions } from '../degradation/entries.ts'
import { optionError } from '../errors.ts'
import type { Events } from '../events.ts'
import { joinPrefix, validatePrefix } from '../keys.ts'
import { createTtlPolicy, type TtlOptions } from '../ttl.ts'
import { createContinuity, type ContinuityOptions } from './continuity.ts'
import { createEndings } from './endings.ts'
import { mergeSessions } from './merge.ts'
import { copyLifetime, isSessionData, userDigest, type SessionData, type UserIdOf } from './session-data.ts'
import { checkedSecrets, type Secret } from './secrets.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { digestOf } from './digest.ts'
import { createUserIndex } from './user-sessions.ts'

/** The options of the session engine, beside those of its entries. */
export interface SessionEngineOptions extends TtlOptions {
  /** What the keys begin with, to the letter; default `<prefix>:session:`. */
  readonly prefix?: string | undefined
  /** The degradation rule; default `token` where there is a `continuity`, else `memory`. */
  readonly rule?: 'token' | 'memory' | 'refuse' | undefined
  /**
   * The share of its ttl that has to pass before a session is extended in Redis, from 0 (each time) to 0.9; default 0.1.
   * A session may expire earlier by up to this share.
   */
  readonly touchAfter?: number | undefined
  /** The continuity token, which makes sessions outlive Redis; left out: none. */
  readonly continuity?: SessionContinuity | undefined
  /** Whose session it is; nothing for nobody's. Needed to list a user's sessions, and to end them all. */
  readonly userId?: UserIdOf | undefined
  /** What {@link Sessions.list} tells of a session, such as its device. */
  readonly note?: ((session: SessionData) => unknown) | undefined
}

/** The continuity token and its secrets. */
export interface SessionContinuity extends ContinuityOptions {
  /**
   * The first seals, all open; keys are derived from them, they are never used as they are. Texts, bytes, or secret
   * `KeyObject`s, of at least 32 random bytes each: who guesses one can forge sessions.
   */
  readonly secrets: readonly Secret[]
}

/** What the engine is built on. */
export interface SessionGround {
  readonly backend: Backend
  readonly availability: Availability
  readonly clock: Clock
  readonly events: Events
  /** What the keys of the whole Holdfast begin with. */
  readonly prefix: string
  readonly warn: (message: string) => void
  readonly entriesOf: (
    prefix: string,
    rule: string,
    engine: Pick<EntriesOptions, 'ttlOf' | 'reconcile' | 'accepts' | 'isEnded'>,
  ) => Entries
  readonly onClose: (close: () => void) => void
}

/** Puts the session engine together; throws an error that names the option which is wrong. */
export function assembleSessions(given: SessionEngineOptions, ground: SessionGround): Sessions {
  const { backend, availability, clock, events, warn } = ground
  const { touchAfter = 0.1, continuity, userId, note } = given
  if (typeof touchAfter !== 'number' || !(touchAfter >= 0 && touchAfter <= 0.9))
    throw optionError('touchAfter', 'between 0 and 0.9', touchAfter)
  for (const [name, option] of Object.entries({ userId, note }))
    if (option !== undefined && typeof option !== 'function') throw optionError(name, 'a function', option)
  const { rule = continuity ? 'token' : 'memory' } = given
  if (rule === 'token' && !continuity)
    throw optionError('rule', 'another where there is no "continuity"', rule)
  const prefix = validatePrefix('prefix', given.prefix ?? joinPrefix(ground.prefix, 'session'))
  const ttl = createTtlPolicy(given)
  const secrets = rule === 'token' && continuity ? checkedSecrets(continuity.secrets, warn) : undefined

  // The order of creation is the order of recovery: who was ended, then what was decided meanwhile.
  const endings = createEndings({
    backend,
    availability,
    clock,
    name: `${ground.prefix}:ended:${prefix}`,
    warn,
  })
  ground.onClose(endings.close)
  const index = createUserIndex({
    sets: endings.sets,
    availability,
    clock,
    nameOf: (user) => `${ground.prefix}:user:${prefix}${user}`,
  })
  const entries = ground.entriesOf(prefix, rule, {
    ttlOf: (value) => copyLifetime(value, ttl, clock.now()),
    reconcile: mergeSessions,
    accepts: isSessionData,
    isEnded(wireKey, { value, stamp }) {
      const session = digestOf(wireKey)
      const user = userDigest(value as SessionData, userId)
      return endings.isEnded(session) || (user !== undefined && endings.isUserEnded(user, session, stamp))
    },
  })
  return createSessions({
    rule,
    entries,
    endings,
    index,
    continuity:
      secrets &&
      createContinuity({ given: continuity!, secrets, prefix, endings, events, now: clock.now, warn }),
    availability,
    events,
    ttl,
    userId,
    note,
    touchAfter,
    clock,
  })
}
