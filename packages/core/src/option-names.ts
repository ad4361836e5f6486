import { cachePolicyNames } from './cache/policy.ts'
import type { EnvelopeOptions } from './envelope/envelope.ts'
import type { OptionNames } from './known-options.ts'
import type { CacheOptions, EntryOptions, HoldfastOptions, SessionOptions } from './options.ts'

/** The options of a Holdfast. */
export const holdfastOptionNames: OptionNames<HoldfastOptions> = {
  redis: true,
  backend: true,
  env: true,
  prefix: true,
  operationTimeout: true,
  requireAtStart: 'boolean',
  circuit: {
    names: { tripAfter: true, probe: { names: { min: true, max: true } }, recoveryJitter: true },
  },
  fallback: { names: { maxEntries: true, maxBytes: true } },
  journal: { names: { maxEntries: true, maxBytes: true } },
  logger: true,
  clock: true,
}

/** What holds for all entries. */
const envelopeOptionNames: OptionNames<Omit<EnvelopeOptions, 'format'>> = {
  compression: { names: { threshold: true, codec: true }, or: [false] },
  encryption: { names: { keys: true, acceptPlaintext: 'boolean' } },
  limits: { names: { value: true, inflated: true } },
}

/** The options of sessions. */
export const sessionEngineOptionNames: OptionNames<SessionOptions> = {
  ...envelopeOptionNames,
  format: true,
  prefix: true,
  rule: true,
  ttl: true,
  min: true,
  max: true,
  jitter: true,
  absolute: true,
  random: true,
  touchAfter: true,
  userId: true,
  note: true,
  continuity: {
    names: {
      secrets: true,
      lifetime: true,
      claims: true,
      audience: true,
      trustFor: true,
      restoreUnwitnessed: 'boolean',
    },
  },
}

/** The options of a cache. */
export const cacheOptionNames: OptionNames<CacheOptions> = {
  ...cachePolicyNames,
  ...envelopeOptionNames,
  prefix: true,
  rule: true,
  near: { names: { maxEntries: true, maxBytes: true, maxAge: true }, or: [true, false] },
  indexed: 'boolean',
  quarantine: true,
  factories: { names: { max: true, waiting: true, patience: true } },
}

/** The options of plain entries. */
export const entryOptionNames: OptionNames<EntryOptions> = {
  ...envelopeOptionNames,
  format: true,
  concern: true,
  rule: true,
  prefix: true,
}
