export { createHoldfast } from './holdfast.ts'
export type { Health, Holdfast } from './holdfast.ts'
export { holdfastOf } from './adapter/held-holdfast.ts'
export type { HeldHoldfast } from './adapter/held-holdfast.ts'
export {
  checkMaxAge,
  givenStore,
  openSessions,
  readContinuity,
  readSecrets,
  sessionOptionNames,
} from './adapter/session-options.ts'
export { onlyOptions, refuseUnknownOptions } from './known-options.ts'
export type { OptionNames } from './known-options.ts'
export { cacheOptionNames, holdfastOptionNames } from './option-names.ts'
export type {
  AdapterContinuityOptions,
  AdapterSessionOptions,
  HeldSessions,
} from './adapter/session-options.ts'
export type { CacheOptions, EntryOptions, HoldfastOptions, SessionOptions } from './options.ts'
export type { PrimaryOptions } from './config/primary.ts'

export type { Cache, CacheEntry, CacheItem, WrapOptions } from './cache/cache.ts'
export { argumentsKey } from './cache/arguments-key.ts'
export type { CacheEngineOptions, FactoryBounds } from './cache/assemble.ts'
export type { Factory, FactoryContext } from './cache/factory.ts'
export type { NearOptions } from './cache/near.ts'
export type { CachePolicy } from './cache/policy.ts'
export type { CacheStatistics } from './cache/statistics.ts'

export type { SessionEntry, Sessions, UserSession } from './session/sessions.ts'
export type { Degraded, Loaded, LoadedSession } from './session/loaded.ts'
export { answer } from './session/answer.ts'
export type { Callback } from './session/answer.ts'
export { tokenCookieName } from './session/continuity.ts'
export type { ContinuityOptions } from './session/continuity.ts'
export type { SessionContinuity } from './session/assemble.ts'
export type { Secret } from './session/secrets.ts'
export type { SessionCookie, SessionData } from './session/session-data.ts'

export { degradationRules } from './degradation/rules.ts'
export type { Concern, DegradedRead, DegradedWrite, Rule, RuleName } from './degradation/rules.ts'
export type { Entries } from './degradation/entries.ts'
export type { Found, Origin, Reading, Stored, StoreOptions } from './degradation/reading.ts'
export type { Logger } from './degradation/transition-log.ts'
export type { HoldfastEvents, State } from './events.ts'

export { versionOf, written } from './backend/backend.ts'
export type {
  AlsoDo,
  Backend,
  Capabilities,
  ConnectionChange,
  ExpiringSets,
  Member,
  SetOptions,
  SetOutcome,
  Subscription,
  Tracking,
  TrackingListener,
  HearingListener,
  Version,
} from './backend/backend.ts'
export { createMemoryBackend } from './backend/memory.ts'
export type { MemoryBackendOptions } from './backend/memory.ts'
export { createRedisBackend } from './backend/redis/redis.ts'
export type { CommandPort } from './backend/redis/port.ts'
export { redisBackendFrom } from './backend/redis/connect.ts'
export type { RedisSource } from './backend/redis/connect.ts'

export { createEnvelopes } from './envelope/envelope.ts'
export type { EnvelopeOptions, Envelopes, Opened } from './envelope/envelope.ts'
export { createKeyspace, encodedName } from './keys.ts'
export type { Keyspace } from './keys.ts'
export type { TtlOptions } from './ttl.ts'

export { HoldfastError, optionError } from './errors.ts'
export type { HoldfastErrorCode } from './errors.ts'
export { systemClock } from './clock.ts'
export type { Clock, Timer } from './clock.ts'
export type { Bytes, Duration, Milliseconds, Size } from './units.ts'
