import { createAvailability } from './availability/availability.ts'
import type { Circuit } from './availability/circuit.ts'
import type { Backend } from './backend/backend.ts'
import { createMemoryTable } from './backend/memory-table.ts'
import { choosePrimary, type PrimaryOptions } from './config/primary.ts'
import { systemClock, type Clock } from './clock.ts'
import { createEntries, type Entries, type EntriesOptions } from './degradation/entries.ts'
import { watchEpoch } from './degradation/epoch.ts'
import { createJournal, type Journal } from './degradation/journal.ts'
import { createKnowledge } from './degradation/knowledge.ts'
import { degradationRules, type Concern, type Rule, type RuleName } from './degradation/rules.ts'
import { createTransitionLog, type Logger } from './degradation/transition-log.ts'
import { createEnvelopes, type EnvelopeOptions } from './envelope/envelope.ts'
import { HoldfastError, optionError } from './errors.ts'
import { createEvents, type Events, type HoldfastEvents, type State } from './events.ts'
import { createKeyspace, joinPrefix, validatePrefix } from './keys.ts'
import { copyLifetime, isSessionData, withChanges, type SessionData } from './session/session-data.ts'
import { createSessions, type Sessions } from './session/sessions.ts'
import { createTtlPolicy, type TtlOptions } from './ttl.ts'
import { parseCount, parseDuration, parseSize, type Duration, type Milliseconds, type Size } from './units.ts'

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
export interface SessionOptions extends TtlOptions, EnvelopeOptions {
  /** What the keys begin with, to the letter; default `<prefix>:session:`. */
  readonly prefix?: string
  /** The degradation rule; default `memory`. */
  readonly rule?: RuleName<'session'>
  /**
   * The share of its ttl that has to pass before a session is extended in Redis, from 0 (each time) to 0.9; default 0.1.
   * A session may expire earlier by up to this share.
   */
  readonly touchAfter?: number
}

/** The options of {@link Holdfast.entries}. */
export interface EntryOptions<Of extends Concern = Concern> extends EnvelopeOptions {
  readonly concern: Of
  /** The degradation rule; the first of the concern's by default. */
  readonly rule?: RuleName<Of>
  /** What the keys begin with, to the letter; default `<prefix>:<concern>:`. */
  readonly prefix?: string
}

/** How things stand; answered from memory, without asking Redis. */
export interface Health {
  readonly state: State
  /** The primary's name: `redis`, `memory`, or a backend's own. */
  readonly backend: string
  /** Since when it has been so, in ms since the epoch. */
  readonly since: number
  /** What is answered by the degradation rules now. */
  readonly degraded: 'nothing' | 'writes' | 'everything'
  readonly fault: { readonly kind: string; readonly code: string; readonly hint: string | undefined } | undefined
  /** Since the start: transitions to degraded, entries that could not be read, answers that belonged to another key. */
  readonly counts: { readonly outages: number; readonly unreadable: number; readonly foreign: number; readonly dropped: number }
  /** What is held in memory now. */
  readonly memory: { readonly entries: number; readonly bytes: number; readonly journal: number }
}

/** One primary, watched; and what is built on it. */
export interface Holdfast {
  readonly state: State
  readonly prefix: string
  readonly backend: Backend
  on<Name extends keyof HoldfastEvents>(name: Name, listener: (event: HoldfastEvents[Name]) => void): () => void
  health(): Health
  /** Resolves once Redis is known to be there or not; rejects in the latter case under `requireAtStart`. */
  ready(): Promise<void>
  /** Creates a session engine; call it once per prefix. */
  sessions(options?: SessionOptions): Sessions
  /** Creates plain entries; call it once per prefix. */
  entries<Of extends Concern>(options: EntryOptions<Of>): Entries
  /** Lets go of everything, so that the process can exit. What waits in the journal for a Redis that is away is lost. */
  close(): Promise<void>
}

/** How long closing the backend may take, in operation timeouts. */
const closeTimeouts = 5

/** Creates a Holdfast: connects in the background, watches, and degrades by rule while Redis is away. */
export function createHoldfast(options: HoldfastOptions = {}): Holdfast {
  const clock = options.clock ?? systemClock
  const logger = options.logger === false ? silent : (options.logger ?? console)
  const prefix = validatePrefix('prefix', options.prefix ?? 'holdfast')
  const operationTimeout = parseDuration('operationTimeout', options.operationTimeout ?? 200, { min: 10, max: 60_000 })
  const circuitOptions = readCircuitOptions(options.circuit)
  const journalBounds = readBounds('journal', options.journal, 32 * 1024 ** 2)
  const fallbackBounds = readBounds('fallback', options.fallback, 64 * 1024 ** 2)
  const backend = choosePrimary(options, { logger, clock })

  const counts = { outages: 0, unreadable: 0, foreign: 0, dropped: 0 }
  const events = createEvents((error) => logger.error(`holdfast: an event listener failed: ${String(error)}`))
  const copies = createMemoryTable({ clock, ...fallbackBounds })
  const journals: Journal[] = []
  const rulesInForce = new Set<string>()
  let since = clock.now()
  let closing: Promise<void> | undefined

  const log = createTransitionLog({
    logger,
    clock,
    name: backend.name,
    rules: () => [...rulesInForce].join(', '),
    circuit: () => availability.circuit,
  })
  const availability = createAvailability({
    backend,
    prefix,
    clock,
    random: Math.random,
    operationTimeout,
    ...circuitOptions,
    onTransition(from, to, circuit) {
      const lasted = clock.now() - since
      since = clock.now()
      if (to === 'degraded') counts.outages++
      log.note(to, circuit)
      events.emit('transition', { from, to, ...standing(circuit), lasted })
    },
  })
  const epoch = watchEpoch(availability, backend, prefix)
  events.on('entry', ({ problem }) => counts[problem]++)
  events.on('overflow', ({ dropped }) => (counts.dropped += dropped))

  function entriesOf(
    concern: Concern,
    ruleName: string | undefined,
    own: EnvelopeOptions & { readonly prefix?: string },
    engine: Pick<EntriesOptions, 'ttlOf' | 'reconcile' | 'accepts'>,
  ): Entries {
    if (closing) throw new HoldfastError('ERR_HOLDFAST_CLOSED', 'This Holdfast is closed.')
    const [name, rule] = ruleOf(concern, ruleName)
    rulesInForce.add(`${concern} goes by rule ${name}`)
    const keyspace = createKeyspace({ prefix: own.prefix ?? joinPrefix(prefix, concern) })
    const envelopes = createEnvelopes(own)
    const journal = createJournal({
      ...journalBounds,
      onOverflow: () => events.emit('overflow', { concern, dropped: 1 }),
    })
    journals.push(journal)
    const knowledge = createKnowledge({ rule, copies, journal, envelopes, clock })
    return createEntries({
      concern,
      rule,
      backend,
      availability,
      keyspace,
      envelopes,
      knowledge,
      journal,
      epoch,
      events,
      clock,
      ...engine,
    })
  }

  return {
    get state() {
      return availability.state
    },
    prefix,
    backend,
    on: (name, listener) => events.on(name, listener),
    health: () => ({
      state: availability.state,
      backend: backend.name,
      since,
      ...standing(availability.circuit),
      counts: { ...counts },
      memory: { entries: copies.size, bytes: copies.bytes, journal: journals.reduce((sum, { size }) => sum + size, 0) },
    }),
    async ready() {
      await availability.settled()
      if (!options.requireAtStart || availability.state === 'healthy') return
      const { fault } = standing(availability.circuit)
      throw new HoldfastError(
        'ERR_HOLDFAST_UNAVAILABLE',
        `Redis is required at start and not available (${fault?.code ?? 'CLOSED'})${fault?.hint ? `: ${fault.hint}` : ''}.`,
      )
    },
    sessions({ rule, touchAfter = 0.1, ...own } = {}) {
      if (!(touchAfter >= 0 && touchAfter <= 0.9)) throw optionError('touchAfter', 'between 0 and 0.9', touchAfter)
      const ttl = createTtlPolicy(own)
      const entries = entriesOf('session', rule, own, {
        ttlOf: (value) => copyLifetime(value, ttl, clock.now()),
        reconcile: (mine, theirs) => withChanges(theirs as SessionData, mine as SessionData),
        accepts: isSessionData,
      })
      const isDegraded = (): boolean => availability.state !== 'healthy'
      return createSessions({ entries, ttl, touchAfter, clock, isDegraded })
    },
    entries({ concern, rule, ...own }) {
      return entriesOf(concern, rule as string | undefined, own, {
        ttlOf: () => Infinity,
        reconcile: (mine) => mine,
        accepts: () => true,
      })
    },
    close: () => (closing ??= close()),
  }

  async function close(): Promise<void> {
    availability.close()
    log.close()
    // A backend that hangs must not keep the process from ending.
    await Promise.race([backend.close().catch(() => undefined), pause(operationTimeout * closeTimeouts)])
    copies.clear()
  }

  function pause(ms: Milliseconds): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms))
  }
}

const silent: Logger = { info() {}, warn() {}, error() {} }

function standing(circuit: Circuit): Pick<Health, 'degraded' | 'fault'> {
  if (circuit.at !== 'open' && circuit.at !== 'half-open') return { degraded: 'nothing', fault: undefined }
  const { kind, code, hint } = circuit.fault
  return { degraded: circuit.scope, fault: { kind, code, hint } }
}

function ruleOf(concern: Concern, given: string | undefined): [name: string, rule: Rule] {
  const rules: Readonly<Record<string, Rule>> = degradationRules[concern]
  const names = Object.keys(rules)
  const name = given ?? names[0]!
  if (!Object.hasOwn(rules, name)) throw optionError('rule', names.map((known) => `"${known}"`).join(' or '), given)
  return [name, rules[name]!]
}

function readCircuitOptions({ tripAfter = 5, probe = {}, recoveryJitter = 100 }: HoldfastOptions['circuit'] & {} = {}): {
  tripAfter: number
  probe: { min: Milliseconds; max: Milliseconds }
  recoveryJitter: Milliseconds
} {
  const min = parseDuration('circuit.probe.min', probe.min ?? 100, { min: 10, max: 60_000 })
  return {
    tripAfter: parseCount('circuit.tripAfter', tripAfter, { min: 1, max: 1000 }),
    probe: { min, max: parseDuration('circuit.probe.max', probe.max ?? Math.max(500, min), { min, max: 60_000 }) },
    recoveryJitter: parseDuration('circuit.recoveryJitter', recoveryJitter, { max: 60_000 }),
  }
}

function readBounds(
  option: string,
  { maxEntries = 50_000, maxBytes }: { readonly maxEntries?: number; readonly maxBytes?: Size } = {},
  defaultBytes: number,
): { maxEntries: number; maxBytes: number } {
  return {
    maxEntries: parseCount(`${option}.maxEntries`, maxEntries, { min: 1, max: 10_000_000 }),
    maxBytes: parseSize(`${option}.maxBytes`, maxBytes ?? defaultBytes, { min: 1024, max: 16 * 1024 ** 3 }),
  }
}
