import type { Clock } from '../clock.ts'
import { setPatientTimeout } from '../availability/patient-timeout.ts'
import type { Milliseconds } from '../units.ts'
import { tooLong, type Factory } from './factory.ts'
import type { Leases, LeaseTurn } from './lease.ts'
import type { Policy } from './policy.ts'
import type { Seen, Sight, Sights } from './sight.ts'
import type { Counters } from './statistics.ts'
import type { Storing } from './storing.ts'
import type { Turn, Turns } from './turns.ts'
import type { Versions } from './versions.ts'

/** Answers with what there is, or with what a factory makes: once per key at a time. */
export interface Producer {
  produce<T>(key: string, wireKey: string, factory: Factory<T>, policy: Policy): Promise<T>
  /** Makes a value anew in the background, unless that is under way here or in another process. */
  refresh<T>(key: string, wireKey: string, seen: Seen | undefined, factory: Factory<T>, policy: Policy): void
  /** What is being made now of a key, or of all, does not count any more. */
  void(wireKey?: string): void
  /** The same for what has this tag, or may turn out to. */
  voidTagged(tag: string): void
}

export interface ProducerOptions {
  readonly sights: Sights
  readonly leases: Leases
  readonly versions: Versions
  readonly storing: Storing
  readonly turns: Turns
  /** Whether the primary takes no writes, or does not answer at all. */
  readonly isAway: () => boolean
  readonly counters: Counters
  readonly clock: Clock
  /** Whether this process' memory stands in for the primary: then what is made meanwhile is kept there. */
  readonly keepsWhileAway: boolean
  /** Told when a value in its grace was served, and why. */
  readonly onStale: (reason: string) => void
  /** Gives the copy of a key that this process has, if it may be served. */
  readonly copyOf: (wireKey: string) => { readonly value: unknown } | undefined
  /** Takes a place among the processes that refresh ahead of time; `false`: another one has it. */
  readonly mayRefresh: (key: string, lease: Milliseconds) => Promise<boolean>
}

/** What a value is made of. */
interface Making<T> {
  readonly key: string
  readonly wireKey: string
  readonly factory: Factory<T>
  readonly policy: Policy
}

/** One read, and if need be one factory, for all who ask for a key at the same time. */
interface Flight {
  /** What the read came to, where nothing fresh was seen: what is kept here lives longer than the flight. */
  seen: Sight | undefined
  /** Those who asked while it was under way. */
  waiting: PromiseWithResolvers<Sight> | undefined
  /** What the factory makes, where nothing fresh was seen. */
  made: Promise<unknown> | undefined
  /** `undefined`: that depends on what is made. */
  readonly tags: readonly string[] | undefined
  isVoid: boolean
  /** A factory that runs waits for it: it must not wait for that one's end. */
  isUrgent: boolean
  turn: Turn | undefined
}

const unleased: LeaseTurn = { status: 'ours', over: undefined }

export function createProducer(options: ProducerOptions): Producer {
  const { sights, leases, versions, storing, turns, counters, clock, onStale, copyOf } = options
  const flights = new Map<string, Flight>()
  const refreshing = new Set<string>()

  function produce<T>(key: string, wireKey: string, factory: Factory<T>, policy: Policy): Promise<T> {
    const flight = flights.get(wireKey)
    if (!flight) return lead(key, wireKey, factory, policy)
    if (turns.isAsking(flight.turn)) {
      flight.isUrgent = true
      flight.turn?.hurry()
    }
    const seen = flight.seen ?? (flight.waiting ??= Promise.withResolvers()).promise
    return Promise.resolve(seen).then((sight) => {
      if (sight.status !== 'found' || !sight.isFresh) return made<T>(wireKey, flight, sight, policy)
      counters.primary++
      return sights.again(wireKey, sight) as T
    })
  }

  /** Reads for all who ask at the same time, and makes what is not there. */
  function lead<T>(key: string, wireKey: string, factory: Factory<T>, policy: Policy): Promise<T> {
    const flight: Flight = {
      seen: undefined,
      waiting: undefined,
      made: undefined,
      tags: policy.tags,
      isVoid: false,
      isUrgent: false,
      turn: undefined,
    }
    function end(): void {
      if (!flight.isVoid) flights.delete(wireKey)
    }
    flights.set(wireKey, flight)
    return sights.lookFor(
      key,
      wireKey,
      (sight) => {
        const isFresh = sight.status === 'found' && sight.isFresh
        if (isFresh) end()
        else {
          flight.seen = sight
          flight.made = make({ key, wireKey, factory, policy }, sight, flight)
          flight.made.then(end, end)
        }
        flight.waiting?.resolve(sight)
        if (!isFresh) return made<T>(wireKey, flight, sight, policy)
        counters.primary++
        if (isDue(sight.found.revision, sight.found.stamp, policy.eager, clock.now()))
          refresh(key, wireKey, sight, factory, policy)
        return sight.value as T
      },
      (error) => {
        end()
        flight.waiting?.reject(error)
      },
    )
  }

  /** Gives what the factory makes, or what there is, where that fails or takes too long. */
  function made<T>(wireKey: string, flight: Flight, sight: Sight, policy: Policy): Promise<T> {
    if (sight.status === 'unknown' || (sight.status === 'missing' && sight.isAway)) counters.bypasses++
    else counters.misses++
    const making = bounded(flight.made as Promise<T>, policy.hardTimeout)
    if (sight.status === 'found')
      return orStale(making, policy.softTimeout, () => sights.again(wireKey, sight) as T)
    const copy = options.isAway() ? copyOf(wireKey) : undefined
    return copy ? orStale(making, policy.softTimeout, () => copy.value as T) : making
  }

  async function make<T>(making: Making<T>, sight: Sight, flight: Flight): Promise<T> {
    const turn = turns.begin()
    flight.turn = turn
    try {
      await turn.wait(flight.isUrgent)
      return options.isAway()
        ? await makeWhileAway(making, sight, flight, turn)
        : await makeInTurn(making, sight, flight, turn)
    } finally {
      turn.end()
    }
  }

  async function makeInTurn<T>(making: Making<T>, sight: Sight, flight: Flight, turn: Turn): Promise<T> {
    const { key, wireKey, policy } = making
    const { lease } = policy
    const stale = sight.status === 'found' ? sight.value : undefined
    if (stale !== undefined) counters.refreshes++
    const scope = await versions.scopeOf(policy.tags ?? [])
    const leased = lease > 0 ? await leases.take(key, wireKey, sight, { scope, lease }) : unleased
    if (leased.status === 'made') return leased.seen.value as T
    try {
      const value = await run(making, stale, turn)
      if (!flight.isVoid)
        return (await storing.fill(key, wireKey, value, policy, {
          scope,
          over: leased.over,
          isThere: sight.status === 'found',
        })) as T
      // Nobody would give back the lease that stands, and all would wait for its end.
      if (leased.over) await leases.release(key, leased.over)
      return value
    } catch (error) {
      if (leased.over) void leases.release(key, leased.over).catch(() => undefined)
      throw error
    }
  }

  async function makeWhileAway<T>(making: Making<T>, sight: Sight, flight: Flight, turn: Turn): Promise<T> {
    const { key, wireKey, policy } = making
    const stale = sight.status === 'found' ? sight.value : copyOf(wireKey)?.value
    const value = await run(making, stale, turn)
    if (flight.isVoid) return value
    if (!options.keepsWhileAway) {
      await storing.keepCopy(key, wireKey, value, policy)
      return value
    }
    const scope = await versions.scopeOf(policy.tags ?? [])
    const isThere = sight.status === 'found'
    return (await storing.fill(key, wireKey, value, policy, { scope, over: undefined, isThere })) as T
  }

  function run<T>({ factory, policy }: Making<T>, stale: unknown, turn: Turn): Promise<T> {
    return turn.run(factory, { stale: stale as T | undefined, hardTimeout: policy.hardTimeout })
  }

  /** Each caller waits for as long as the caller itself wants to, whoever's factory it is, and wherever it runs. */
  function bounded<T>(making: Promise<T>, hardTimeout: Milliseconds): Promise<T> {
    if (hardTimeout === Infinity) return making
    return new Promise((resolve, reject) => {
      const timer = setPatientTimeout(clock, () => reject(tooLong(hardTimeout)), hardTimeout)
      making.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  /** Waits for what is made; where that fails or takes too long, what there was has to do. */
  function orStale<T>(made: Promise<T>, softTimeout: Milliseconds, stale: () => T): Promise<T> {
    return new Promise((resolve) => {
      const serve = (reason: string): void => {
        counters.stale++
        onStale(reason)
        resolve(stale())
      }
      const timer =
        softTimeout === Infinity
          ? undefined
          : setPatientTimeout(clock, () => serve('the factory takes long'), softTimeout)
      made.then(
        (value) => {
          timer?.cancel()
          resolve(value)
        },
        () => {
          timer?.cancel()
          serve('the factory failed')
        },
      )
    })
  }

  async function refreshNow<T>(making: Making<T>, seen: Seen | undefined): Promise<void> {
    const { key, wireKey, policy } = making
    if (policy.lease > 0 && !(await options.mayRefresh(key, policy.lease))) return
    counters.refreshes++
    const sight = seen ?? (await sights.look(key, wireKey))
    if (sight.status !== 'found') return
    const scope = await versions.scopeOf(policy.tags ?? [])
    const turn = turns.begin()
    const value = await run(making, sight.value, turn).finally(turn.end)
    // Over what it was made for: who removed it or wrote another meanwhile is right.
    await storing.fill(key, wireKey, value, policy, { scope, over: sight.found, isThere: true })
  }

  function refresh<T>(
    key: string,
    wireKey: string,
    seen: Seen | undefined,
    factory: Factory<T>,
    policy: Policy,
  ): void {
    if (refreshing.has(wireKey) || flights.has(wireKey) || options.isAway()) return
    refreshing.add(wireKey)
    refreshNow({ key, wireKey, factory, policy }, seen)
      .catch(() => undefined)
      .finally(() => refreshing.delete(wireKey))
  }

  function voidOne(wireKey: string): void {
    const flight = flights.get(wireKey)
    if (!flight) return
    flight.isVoid = true
    flights.delete(wireKey)
  }

  return {
    produce,
    refresh,
    void(wireKey) {
      // As for most writes, there is none; which is faster to see than to look for.
      if (flights.size === 0) return
      if (wireKey !== undefined) voidOne(wireKey)
      else for (const voided of flights.keys()) voidOne(voided)
    },
    voidTagged(tag) {
      for (const [wireKey, { tags }] of flights) if (tags?.includes(tag) !== false) voidOne(wireKey)
    },
  }
}

/** Whether so much of the time in which a value is fresh has passed that it should be made anew ahead of its end. */
export function isDue(madeAt: number, freshUntil: number, share: number, now: number): boolean {
  // A revision is up to a millisecond ahead of the clock.
  const from = Math.floor(madeAt)
  return freshUntil !== 0 && share < 1 && now - from >= share * (freshUntil - from)
}
