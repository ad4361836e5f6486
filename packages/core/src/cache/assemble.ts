import type { Availability } from '../availability/availability.ts'
import type { Backend } from '../backend/backend.ts'
import type { MemoryTable } from '../backend/memory-table.ts'
import type { Clock } from '../clock.ts'
import { copyTtl, type Entries, type EntriesOptions } from '../degradation/entries.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { Scoped } from '../envelope/scoped.ts'
import { optionError } from '../errors.ts'
import type { Events } from '../events.ts'
import { joinPrefix, longestPrefix, validatePrefix } from '../keys.ts'
import { soon } from '../soon.ts'
import { parseCount, parseDuration, type Duration } from '../units.ts'
import type { Cache } from './cache.ts'
import { createCache } from './engine.ts'
import { createFactories } from './factory.ts'
import { frozen } from './freeze.ts'
import { createHearing } from './hearing.ts'
import { createLeases } from './lease.ts'
import { createLimit } from './limit.ts'
import { createNear, type NearOptions } from './near.ts'
import { createPolicyReader, type CachePolicy } from './policy.ts'
import { createProducer } from './produce.ts'
import { createQuarantine } from './quarantine.ts'
import { createReserve } from './reserve.ts'
import { watchReturns } from './returns.ts'
import { createSights } from './sight.ts'
import { createCounters } from './statistics.ts'
import { createStoring } from './storing.ts'
import { createStragglers } from './stragglers.ts'
import { createTurns } from './turns.ts'
import { createVersions, tagLifetime } from './versions.ts'

/** The options of a cache, beside those of its entries. */
export interface CacheEngineOptions extends CachePolicy {
  /** What the keys begin with, to the letter; default `<prefix>:cache:`. */
  readonly prefix?: string | undefined
  /** The degradation rule; default `bypass`. */
  readonly rule?: 'bypass' | 'memory' | 'refuse' | undefined
  /**
   * Keeps values in this process and serves them without asking Redis, as long as Redis tells of every change. What is handed
   * out is frozen then. Not with a Redis Cluster. Default: `false`.
   */
  readonly near?: boolean | NearOptions | undefined
  /** Keeps an index of the keys, for {@link Cache.keys}: one command more per write. Default: `false`. */
  readonly indexed?: boolean | undefined
  /**
   * For how long after an outage entries from before its end do not count, as another process may still be on its way to
   * remove them; longer, by up to 10 s, while one says that it has much to settle. Default 750 ms, 0 to 60 s; 0: off.
   */
  readonly quarantine?: Duration | undefined
  /** How many factories run while Redis is away, in this process. */
  readonly factories?: FactoryBounds | undefined
}

/** Keeps what is behind the cache alive while the cache does not help it. */
export interface FactoryBounds {
  /** How many run at once; default 64. */
  readonly max?: number | undefined
  /** How many callers wait for their turn; those above are refused. Default 1,000. */
  readonly waiting?: number | undefined
  /** How long a caller waits for its turn; default 2 seconds. */
  readonly patience?: Duration | undefined
}

/** What the engine is built on. */
export interface CacheGround {
  readonly backend: Backend
  readonly availability: Availability
  readonly clock: Clock
  readonly events: Events
  readonly copies: MemoryTable
  readonly prefix: string
  /** Creates entries, and gives their envelopes with them. */
  readonly entriesOf: (
    prefix: string,
    rule: string | undefined,
    engine: Pick<EntriesOptions, 'ttlOf' | 'accepts' | 'isEnded' | 'reconcile'> & {
      readonly indexed?: boolean
      readonly isAside?: boolean
      readonly onOverflow: () => void
    },
  ) => {
    readonly entries: Entries
    readonly envelopes: Envelopes
    /** How many decisions the primary has not heard of. */
    readonly undecided: () => number
  }
  readonly onClose: (close: () => void) => void
}

/** Puts a cache together; throws an error that names the option which is wrong. */
export function assembleCache(given: CacheEngineOptions, ground: CacheGround): Cache {
  const { backend, availability, clock, events } = ground
  const {
    prefix: ownPrefix,
    rule = 'bypass',
    near: nearOptions = false,
    indexed = false,
    factories: bounds = {},
    quarantine: quarantineLength = 750,
    ...usual
  } = given
  const prefix = validatePrefix('prefix', ownPrefix ?? joinPrefix(ground.prefix, 'cache'))
  const marksPrefix = `${ground.prefix}:tag:${prefix}`
  const longest = longestPrefix - Buffer.byteLength(`${ground.prefix}:tag:`)
  if (Buffer.byteLength(prefix) > longest) throw optionError('prefix', `at most ${longest} bytes`, ownPrefix)
  const policyOf = createPolicyReader(usual, { isShared: backend.capabilities.shared })

  let isRenewing = false
  /** Decisions were dropped: then nothing that was stored before can be believed. */
  function onOverflow(): void {
    if (isRenewing) return
    isRenewing = true
    soon(() => {
      void versions.renew().catch(() => undefined)
      isRenewing = false
    })
  }

  // The order of creation is the order of recovery: what is void, then what was decided meanwhile.
  const journals: (() => number)[] = []
  const stragglers = createStragglers({
    sets: backend.sets,
    name: `${ground.prefix}:settling:${prefix}`,
    clock,
    undecided: () => journals.reduce((sum, undecided) => sum + undecided(), 0),
  })
  availability.onRecovery(stragglers.tell)
  const { entries: marks, undecided: undecidedMarks } = ground.entriesOf(
    marksPrefix,
    rule === 'refuse' ? 'refuse' : 'memory',
    {
      ttlOf: () => tagLifetime,
      accepts: (value) => typeof value === 'number',
      // To void too much is safe, too little is not: whatever the clocks say.
      reconcile: ({ mine }) => mine.value,
      isEnded: () => false,
      isAside: true,
      onOverflow,
    },
  )
  const { entries, envelopes, undecided } = ground.entriesOf(prefix, rule, {
    ttlOf: () => copyTtl,
    accepts: (value) => value instanceof Scoped,
    isEnded: () => false,
    indexed,
    onOverflow,
  })
  journals.push(undecidedMarks, undecided)
  availability.onRecovery(stragglers.withdraw)

  const counters = createCounters()
  const versions = createVersions({ entries: marks, isHearing: (at) => hearing.isOn(at), now: clock.now })
  const near =
    nearOptions === false
      ? undefined
      : createNear(nearOptions, { now: clock.now, isOn: (at) => hearing.isOn(at) })
  const reserve = createReserve({
    prefix,
    isMirror: rule === 'memory',
    copies: ground.copies,
    envelopes,
    clock,
  })
  // After what it tells, as a backend may tell at once.
  const hearing = createHearing({
    backend,
    availability,
    now: clock.now,
    prefixes: nearOptions === false ? [marksPrefix] : [marksPrefix, prefix],
    onChange(wireKeys) {
      versions.onChange(wireKeys)
      if (!near) return
      near.drop(wireKeys?.map(entries.keyOf).filter((key) => key !== undefined))
      // Nor is a copy served in an outage of what was removed before it.
      if (wireKeys) for (const wireKey of wireKeys) reserve.drop(wireKey)
      else reserve.dropAll()
    },
    onGap(isOver) {
      versions.doubt()
      if (!near) return
      near.drop()
      // Where the gap begins, the copies may be needed: that Redis is away is how most begin.
      if (isOver) reserve.dropAll()
    },
  })
  const open = (wireKey: string, bytes: Uint8Array): unknown => {
    const opened = envelopes.open(wireKey, bytes)
    return opened.status === 'opened' ? opened.value : undefined
  }
  const quarantine = createQuarantine({
    length: parseDuration('quarantine', quarantineLength, { max: 60_000 }),
    clock,
    areOthersSettling: stragglers.areThere,
  })
  const unwatch = watchReturns(availability, () => {
    quarantine.begin()
    reserve.dropAll()
  })
  const sights = createSights({ entries, versions, near, reserve, quarantine, open, now: clock.now })
  const leases = createLeases({ entries, sights, clock, isWritable: () => availability.allows('write') })
  const storing = createStoring({
    entries,
    versions,
    leases,
    reserve,
    counters,
    freezes: near !== undefined,
    open,
    now: clock.now,
    onUnstored: (reason) => events.emit('cache', { outcome: 'unstored', reason }),
  })
  const factories = createFactories(counters, clock)

  /** A copy in its grace, unless this process knows better. */
  function copyOf(wireKey: string): { readonly value: unknown } | undefined {
    const reserved = reserve.get(wireKey)
    if (!reserved || versions.isVoid(reserved)) return undefined
    return near ? { value: frozen(reserved.value) } : reserved
  }

  function isAway(): boolean {
    return availability.circuit().at === 'open' || availability.circuit().at === 'half-open'
  }

  const producer = createProducer({
    sights,
    leases,
    versions,
    storing,
    turns: createTurns({
      factories,
      counters,
      limit: createLimit({
        max: parseCount('factories.max', bounds.max ?? 64, { min: 1 }),
        // While the cache helps what is behind it less than usual.
        isOn: () => isAway() || quarantine.isOn(),
        waiting: parseCount('factories.waiting', bounds.waiting ?? 1_000),
        patience: parseDuration('factories.patience', bounds.patience ?? 2_000),
        clock,
      }),
    }),
    counters,
    clock,
    isAway,
    keepsWhileAway: rule === 'memory',
    onStale: (reason) => events.emit('cache', { outcome: 'stale', reason }),
    copyOf,
    async mayRefresh(key, lease) {
      if (availability.state() !== 'healthy') return false
      const taken = await marks.set(`~${key}`, 1, { ttl: lease, over: 'absent', decides: false })
      return taken.status === 'stored' && taken.entry.origin === 'primary'
    },
  })
  ground.onClose(() => {
    hearing.close()
    unwatch()
    quarantine.close()
    factories.close()
  })
  return createCache({
    entries,
    versions,
    near,
    hearing,
    reserve,
    sights,
    storing,
    producer,
    counters,
    policyOf,
    clock,
    copyOf,
  })
}
