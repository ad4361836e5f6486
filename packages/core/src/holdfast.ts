import { createAvailability } from './availability/availability.ts'
import type { Circuit } from './availability/circuit.ts'
import type { Backend } from './backend/backend.ts'
import { indexed } from './backend/indexed.ts'
import { createMemoryTable } from './backend/memory-table.ts'
import { assembleCache } from './cache/assemble.ts'
import type { Cache } from './cache/cache.ts'
import { choosePrimary } from './config/primary.ts'
import { copyTtl, createEntries, type Entries, type EntriesOptions } from './degradation/entries.ts'
import { watchEpoch } from './degradation/epoch.ts'
import { createJournal, type Journal } from './degradation/journal.ts'
import { createKnowledge } from './degradation/knowledge.ts'
import { ruleOf, type Concern } from './degradation/rules.ts'
import { createTransitionLog } from './degradation/transition-log.ts'
import { createEnvelopes, type EnvelopeOptions, type Envelopes } from './envelope/envelope.ts'
import { HoldfastError } from './errors.ts'
import { createEvents, type HoldfastEvents, type State } from './events.ts'
import { createKeyspace, joinPrefix } from './keys.ts'
import { refuseUnknownOptions } from './known-options.ts'
import { cacheOptionNames, entryOptionNames, sessionEngineOptionNames } from './option-names.ts'
import { assembleSessions } from './session/assemble.ts'
import type { Sessions } from './session/sessions.ts'
import type { CacheOptions, EntryOptions, HoldfastOptions, SessionOptions } from './options.ts'
import { readSettings } from './options.ts'
import type { Milliseconds } from './units.ts'

/** How things stand; answered from memory, without asking Redis. */
export interface Health {
  readonly state: State
  /** The primary's name: `redis`, `memory`, or a backend's own. */
  readonly backend: string
  /** Since when it has been so, in ms since the epoch. */
  readonly since: number
  /** What is answered by the degradation rules now. */
  readonly degraded: 'nothing' | 'writes' | 'everything'
  readonly fault:
    | { readonly kind: string; readonly code: string; readonly hint: string | undefined }
    | undefined
  /** Since the start: outages (what is back for less than a second goes on), entries that could not be read, answers that belonged to another key. */
  readonly counts: {
    readonly outages: number
    readonly unreadable: number
    readonly foreign: number
    readonly dropped: number
    /** Sessions, by what the event `session` tells of them. */
    readonly sessions: Readonly<Record<HoldfastEvents['session']['outcome'], number>>
  }
  /** What is held in memory now. */
  readonly memory: { readonly entries: number; readonly bytes: number; readonly journal: number }
}

/** One primary, watched; and what is built on it. */
export interface Holdfast {
  readonly state: State
  readonly prefix: string
  readonly backend: Backend
  on<Name extends keyof HoldfastEvents>(
    name: Name,
    listener: (event: HoldfastEvents[Name]) => unknown,
  ): () => void
  health(): Health
  /** Resolves once Redis is known to be there or not; rejects in the latter case under `requireAtStart`. */
  ready(): Promise<void>
  /** Creates a session engine; call it once per prefix. */
  sessions(options?: SessionOptions): Sessions
  /** Creates a cache; call it once per prefix. */
  cache(options?: CacheOptions): Cache
  /** Creates plain entries; call it once per prefix. */
  entries<Of extends Concern>(options: EntryOptions<Of>): Entries
  /** Lets go of everything, so that the process can exit. What waits in the journal for a Redis that is away is lost. */
  close(): Promise<void>
}

/** How long closing the backend may take, in operation timeouts. */
const closeTimeouts = 5

/** Creates a Holdfast: connects in the background, watches, and degrades by rule while Redis is away. */
export function createHoldfast(options: HoldfastOptions = {}): Holdfast {
  const settings = readSettings(options)
  const { clock, logger, prefix, operationTimeout } = settings
  const backend = choosePrimary(options, { logger, clock })

  const counts = { unreadable: 0, foreign: 0, dropped: 0 }
  const sessionCounts = { restored: 0, completed: 0, served: 0, refused: 0, ended: 0, omitted: 0 }
  const events = createEvents((error) => logger.error(`holdfast: an event listener failed: ${String(error)}`))
  const copies = createMemoryTable({ clock, ...settings.fallback })
  const journals: Journal[] = []
  const engines: (() => void)[] = []
  const rulesInForce = new Set<string>()
  let since = clock.now()
  let closing: Promise<void> | undefined

  const log = createTransitionLog({
    logger,
    clock,
    name: backend.name,
    rules: () => [...rulesInForce].join(', '),
    circuit: () => availability.circuit(),
  })
  const availability = createAvailability({
    ...settings,
    backend,
    random: Math.random,
    onForeignReply() {
      events.emit('entry', { concern: 'any', problem: 'foreign', reason: 'answer to another call' })
    },
    onTransition(from, to, circuit) {
      const lasted = clock.now() - since
      since = clock.now()
      log.note(to, circuit)
      events.emit('transition', { from, to, ...standing(circuit), lasted })
    },
  })
  const epoch = watchEpoch(availability, backend, prefix)
  events.on('entry', ({ problem }) => counts[problem]++)
  events.on('session', ({ outcome }) => sessionCounts[outcome]++)
  events.on('overflow', ({ dropped }) => (counts.dropped += dropped))

  function entriesOf(
    concern: Concern,
    ruleName: string | undefined,
    own: EnvelopeOptions & { readonly prefix?: string },
    engine: Pick<EntriesOptions, 'ttlOf' | 'reconcile' | 'accepts' | 'isEnded'> & {
      readonly indexed?: boolean
      /** They serve other entries of the concern, and their rule is nobody's business. */
      readonly isAside?: boolean
      readonly onOverflow?: () => void
    },
  ): { readonly entries: Entries; readonly envelopes: Envelopes; readonly undecided: () => number } {
    if (closing) throw new HoldfastError('ERR_HOLDFAST_CLOSED', 'This Holdfast is closed.')
    const [name, rule] = ruleOf(concern, ruleName)
    if (!engine.isAside) rulesInForce.add(`${concern} goes by rule ${name}`)
    const keyspace = createKeyspace({ prefix: own.prefix ?? joinPrefix(prefix, concern) })
    const envelopes = createEnvelopes(own)
    const journal = createJournal({
      ...settings.journal,
      onOverflow() {
        events.emit('overflow', { concern, dropped: 1 })
        engine.onOverflow?.()
      },
    })
    journals.push(journal)
    const knowledge = createKnowledge({ rule, copies, journal, envelopes, clock })
    const entries = createEntries({
      concern,
      rule,
      backend: engine.indexed ? indexed(backend, `${prefix}:index:${keyspace.prefix}`, clock) : backend,
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
    return { entries, envelopes, undecided: journal.size }
  }

  return {
    get state() {
      return availability.state()
    },
    prefix,
    backend,
    on: (name, listener) => events.on(name, listener),
    health: () => ({
      state: availability.state(),
      backend: backend.name,
      since,
      ...standing(availability.circuit()),
      counts: { outages: log.outages(), ...counts, sessions: { ...sessionCounts } },
      memory: {
        entries: copies.size(),
        bytes: copies.bytes(),
        journal: journals.reduce((sum, journal) => sum + journal.size(), 0),
      },
    }),
    async ready() {
      await availability.settled()
      if (!options.requireAtStart || availability.state() === 'healthy') return
      const { fault } = standing(availability.circuit())
      throw new HoldfastError(
        'ERR_HOLDFAST_UNAVAILABLE',
        `Redis is required at start and not available (${fault?.code ?? 'CLOSED'})${fault?.hint ? `: ${fault.hint}` : ''}.`,
      )
    },
    sessions(own = {}) {
      refuseUnknownOptions(own, sessionEngineOptionNames)
      return assembleSessions(own, {
        backend,
        availability,
        clock,
        events,
        prefix,
        warn: (message) => logger.warn(message),
        entriesOf: (keys, rule, engine) =>
          entriesOf('session', rule, { ...own, prefix: keys }, engine).entries,
        onClose: (closeEngine) => void engines.push(closeEngine),
      })
    },
    cache(own = {}) {
      refuseUnknownOptions(own, cacheOptionNames)
      return assembleCache(own, {
        backend,
        availability,
        clock,
        events,
        copies,
        prefix,
        entriesOf: (keys, rule, engine) => entriesOf('cache', rule, { ...own, prefix: keys }, engine),
        onClose: (closeEngine) => void engines.push(closeEngine),
      })
    },
    entries(given) {
      refuseUnknownOptions(given, entryOptionNames)
      const { concern, rule, ...own } = given
      return entriesOf(concern, rule as string | undefined, own, {
        ttlOf: () => copyTtl,
        accepts: () => true,
        isEnded: () => false,
      }).entries
    },
    close: () => (closing ??= close()),
  }

  async function close(): Promise<void> {
    for (const closeEngine of engines) closeEngine()
    availability.close()
    since = clock.now()
    log.close()
    // A backend that hangs must not keep the process from ending.
    await Promise.race([backend.close().catch(() => undefined), pause(operationTimeout * closeTimeouts)])
    copies.clear()
  }

  function pause(ms: Milliseconds): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms))
  }
}

function standing(circuit: Circuit): Pick<Health, 'degraded' | 'fault'> {
  if (circuit.at !== 'open' && circuit.at !== 'half-open') return { degraded: 'nothing', fault: undefined }
  const { kind, code, hint } = circuit.fault
  return { degraded: circuit.scope, fault: { kind, code, hint } }
}
