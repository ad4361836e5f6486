import type { CacheEngineOptions } from './cache/assemble.ts'
import type { PrimaryOptions } from './config/primary.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Concern, RuleName } from './degradation/rules.ts'
import { guarded, type Logger } from './degradation/transition-log.ts'
import type { EnvelopeOptions } from './envelope/envelope.ts'
import { optionError } from './errors.ts'
import { validatePrefix } from './keys.ts'
import { refuseUnknownOptions } from './known-options.ts'
import { holdfastOptionNames } from './option-names.ts'
import type { SessionEngineOptions } from './session/assemble.ts'
import {
  parseCount,
  parseDuration,
  parseSize,
  type Bytes,
  type Duration,
  type Milliseconds,
  type Size,
} from './units.ts'

/** The options of {@link createHoldfast}. */
export interface HoldfastOptions extends PrimaryOptions {
  /** What all keys begin with; default `holdfast`. No white space or control characters, 128 bytes at most. */
  readonly prefix?: string
  /** How long any call to Redis may take; default 200 ms, 10 ms to 60 s. A call ends at 110 % of it at the latest. */
  readonly operationTimeout?: Duration
  /** Makes {@link Holdfast.ready} reject when Redis is not there at start; default `false`: come up degraded. */
  readonly requireAtStart?: boolean
  /** When to stop asking, and how to find out that Redis is back. */
  readonly circuit?: {
    /** Failures in a row that trip the circuit where none is certain by itself; default 5, 1 to 1000. */
    readonly tripAfter?: number
    /** The pause between two probes, doubled each time from `min` (100 ms) up to `max` (500 ms), ±20 %. */
    readonly probe?: { readonly min?: Duration; readonly max?: Duration }
    /** A random pause of up to this before Redis is asked again, to spread a fleet; default 100 ms. */
    readonly recoveryJitter?: Duration
  }
  /** What this process keeps in memory to go on from; default 50,000 entries and 64 MB. */
  readonly fallback?: { readonly maxEntries?: number; readonly maxBytes?: Size }
  /** What was decided during an outage and waits for Redis; default 50,000 entries and 32 MB. The oldest gives way. */
  readonly journal?: { readonly maxEntries?: number; readonly maxBytes?: Size }
  /** Where transitions are logged: console (the default), pino or any other with `info`, `warn`, `error`; or `false`. */
  readonly logger?: Logger | false
  /** Time and timers, for tests. */
  readonly clock?: Clock
}

/** The options of {@link Holdfast.sessions}. */
export interface SessionOptions extends SessionEngineOptions, EnvelopeOptions {}

/** The options of {@link Holdfast.cache}. */
export interface CacheOptions extends CacheEngineOptions, Omit<EnvelopeOptions, 'format'> {}

/** The options of {@link Holdfast.entries}. */
export interface EntryOptions<Of extends Concern = Concern> extends EnvelopeOptions {
  readonly concern: Of
  /** The degradation rule; the first of the concern's by default. */
  readonly rule?: RuleName<Of>
  /** What the keys begin with, to the letter; default `<prefix>:<concern>:`. */
  readonly prefix?: string
}

/** The options of a Holdfast, validated and complete. */
export interface Settings {
  readonly clock: Clock
  readonly logger: Logger
  readonly prefix: string
  readonly operationTimeout: Milliseconds
  readonly tripAfter: number
  readonly probe: { readonly min: Milliseconds; readonly max: Milliseconds }
  readonly recoveryJitter: Milliseconds
  readonly fallback: Bounds
  readonly journal: Bounds
}

interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: Bytes
}

/** Validates options and fills in defaults; throws an error that names the option which is wrong. */
export function readSettings(options: HoldfastOptions): Settings {
  refuseUnknownOptions(options, holdfastOptionNames)
  const { logger = console } = options
  return {
    clock: options.clock ?? systemClock,
    logger: readLogger(logger),
    prefix: validatePrefix('prefix', options.prefix ?? 'holdfast'),
    operationTimeout: parseDuration('operationTimeout', options.operationTimeout ?? 200, {
      min: 10,
      max: 60_000,
    }),
    ...readCircuitOptions(options.circuit),
    fallback: readBounds('fallback', options.fallback, 64 * 1024 ** 2),
    journal: readBounds('journal', options.journal, 32 * 1024 ** 2),
  }
}

const silent: Logger = { info() {}, warn() {}, error() {} }

function readLogger(logger: Logger | false): Logger {
  if (logger === false) return silent
  const isLogger = (['info', 'warn', 'error'] as const).every(
    (level) => typeof logger?.[level] === 'function',
  )
  if (!isLogger) throw optionError('logger', 'false, or have the methods info, warn and error', logger)
  return guarded(logger)
}

function readCircuitOptions({
  tripAfter = 5,
  probe = {},
  recoveryJitter = 100,
}: HoldfastOptions['circuit'] & {} = {}): Pick<Settings, 'tripAfter' | 'probe' | 'recoveryJitter'> {
  const min = parseDuration('circuit.probe.min', probe.min ?? 100, { min: 10, max: 60_000 })
  return {
    tripAfter: parseCount('circuit.tripAfter', tripAfter, { min: 1, max: 1000 }),
    probe: {
      min,
      max: parseDuration('circuit.probe.max', probe.max ?? Math.max(500, min), { min, max: 60_000 }),
    },
    recoveryJitter: parseDuration('circuit.recoveryJitter', recoveryJitter, { max: 60_000 }),
  }
}

function readBounds(
  option: string,
  { maxEntries = 50_000, maxBytes }: { readonly maxEntries?: number; readonly maxBytes?: Size } = {},
  defaultBytes: number,
): Bounds {
  return {
    maxEntries: parseCount(`${option}.maxEntries`, maxEntries, { min: 1, max: 10_000_000 }),
    maxBytes: parseSize(`${option}.maxBytes`, maxBytes ?? defaultBytes, { min: 1024, max: 16 * 1024 ** 3 }),
  }
}
