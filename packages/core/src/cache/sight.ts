import { asIs } from '../availability/calls.ts'
import type { Entries } from '../degradation/entries.ts'
import type { Found, Reading } from '../degradation/reading.ts'
import { Scoped } from '../envelope/scoped.ts'
import { frozen, handedOut } from './freeze.ts'
import type { Begun, Near, NearEntry } from './near.ts'
import type { Quarantine } from './quarantine.ts'
import type { Reserve } from './reserve.ts'
import type { Versions } from './versions.ts'

/** A value that counts. */
export interface Seen {
  readonly status: 'found'
  readonly value: unknown
  readonly scoped: Scoped
  /** What a write over it is based on. */
  readonly found: Found
  /** Before the end of its ttl; else in its grace. */
  readonly isFresh: boolean
}

/** What a look at an entry came to. `unknown`: the primary could not be asked. */
export type Sight =
  | Seen
  | {
      readonly status: 'missing'
      /** What is there, and does not count: void, another's, or the mark of a factory that runs. */
      readonly over: Found | undefined
      /** Another process is making it. */
      readonly isLeased: boolean
      /** By what this process decided; the primary could not be asked. */
      readonly isAway: boolean
    }
  | { readonly status: 'unknown' }

/** Looks at entries: near at hand, then in the primary; and judges what is there. */
export interface Sights {
  /** Gives a value near at hand that counts and is fresh. */
  near(key: string): NearEntry | undefined
  look(key: string, wireKey: string): Promise<Sight>
  /** The same, answered in as few turns as it takes; `failed` hears of an error first. */
  lookFor<T>(
    key: string,
    wireKey: string,
    answer: (sight: Sight) => T | Promise<T>,
    failed?: (error: unknown) => void,
  ): Promise<T>
  lookMany(keys: readonly string[], wireKeys: readonly string[]): Promise<Sight[]>
  judge(reading: Reading, generation?: number): Sight | Promise<Sight>
  /** The same value once more, for another caller. */
  again(wireKey: string, seen: Seen): unknown
}

export interface SightsOptions {
  readonly entries: Entries
  readonly versions: Versions
  readonly near: Near | undefined
  readonly reserve: Reserve
  readonly quarantine: Quarantine
  /** Opens what is stored: a copy for each caller. */
  readonly open: (wireKey: string, bytes: Uint8Array) => unknown
  readonly now: () => number
}

/** The time until which the mark of a running factory is fresh: it never was. */
export const leaseStamp = 1

const absent: Sight = { status: 'missing', over: undefined, isLeased: false, isAway: false }
const removedHere: Sight = { ...absent, isAway: true }
const unknown: Sight = { status: 'unknown' }

export function createSights(options: SightsOptions): Sights {
  const { entries, versions, near, reserve, quarantine, open, now } = options

  function judge(reading: Reading, generation?: number): Sight | Promise<Sight> {
    if (reading.status === 'unknown') return unknown
    if (reading.status === 'missing') return reading.origin === 'primary' ? absent : removedHere
    const scoped = reading.value
    if (!(scoped instanceof Scoped)) return missing(reading)
    if (quarantine.holds(reading.revision) && reading.origin === 'primary') return missing(reading)
    const counts = versions.judge(scoped, generation)
    if (counts === false) return missing(reading)
    if (counts === true) return counted(reading, scoped)
    return versions.verify(scoped, generation).then((verified) => {
      if (verified === false) return missing(reading)
      // Nobody can say: then it is what this process knows that decides.
      if (verified === undefined && (reading.origin === 'primary' || versions.isVoid(scoped)))
        return reading.origin === 'primary' ? unknown : missing(reading)
      return counted(reading, scoped)
    })
  }

  function counted(found: Found, scoped: Scoped): Sight {
    const { stamp } = found
    if (stamp === leaseStamp && scoped.value === undefined) return missing(found, true)
    const value = near ? frozen(scoped.value) : scoped.value
    return { status: 'found', value, scoped, found, isFresh: stamp === 0 || stamp > now() }
  }

  function lookFor<T>(
    key: string,
    wireKey: string,
    answer: (sight: Sight) => T | Promise<T>,
    failed?: (error: unknown) => void,
  ): Promise<T> {
    const begun = near?.begin()
    const onError = (error: unknown): never => {
      near?.end()
      failed?.(error)
      throw error
    }
    const onSight = (sight: Sight): T | Promise<T> => {
      remember(key, wireKey, begun, sight)
      return answer(sight)
    }
    const onReading = (reading: Reading, generation?: number): T | Promise<T> => {
      const sight = judge(reading, generation)
      return sight instanceof Promise ? sight.then(onSight, onError) : onSight(sight)
    }
    const reading = entries.get(key)
    return versions.generation() === undefined
      ? // Asked in the same turn, so that it takes no round trip of its own.
        Promise.all([reading, versions.askGeneration()]).then((both) => onReading(...both), onError)
      : reading.then(onReading as (reading: Reading) => T | Promise<T>, onError)
  }

  function remember(key: string, wireKey: string, begun: Begun | undefined, sight: Sight): void {
    const isOfPrimary = sight.status === 'found' && sight.found.origin === 'primary'
    if (isOfPrimary && sight.found.endsAt > sight.found.stamp)
      reserve.keep(wireKey, sight.found.bytes, sight.found.endsAt)
    else if (isOfPrimary || isGone(sight)) reserve.outdate(wireKey)
    if (!near) return
    // A key that is stored hashed cannot be told from its wire key when it changes.
    if (!isOfPrimary || !sight.isFresh || entries.keyOf(wireKey) === undefined) {
      return near.end()
    }
    const { generation, tags } = sight.scoped
    const { stamp: freshUntil, revision: madeAt } = sight.found
    // The caller gets the value itself; bytes cannot be frozen.
    const value = handedOut(sight.value)
    near.keep(key, begun!, { value, generation, tags, freshUntil, madeAt }, sight.scoped.size)
  }

  /** The primary says that there is nothing that counts; in the quarantine it may yet. */
  function isGone(sight: Sight): boolean {
    return (
      sight.status === 'missing' && !sight.isAway && !(sight.over && quarantine.holds(sight.over.revision))
    )
  }

  return {
    near(key) {
      const entry = near?.get(key)
      if (entry === undefined || quarantine.holds(entry.madeAt) || versions.judge(entry) !== true)
        return undefined
      return entry
    },
    look: (key, wireKey) => lookFor(key, wireKey, asIs),
    lookFor,
    async lookMany(keys, wireKeys) {
      const begun = keys.map(() => near?.begin())
      let ended = 0
      try {
        const [readings, generation] =
          versions.generation() === undefined
            ? await Promise.all([entries.getMany(keys), versions.askGeneration()])
            : [await entries.getMany(keys), undefined]
        const judged = readings.map((reading) => judge(reading, generation))
        const sights = judged.some((sight) => sight instanceof Promise)
          ? await Promise.all(judged)
          : (judged as Sight[])
        for (; ended < sights.length; ended++)
          remember(keys[ended]!, wireKeys[ended]!, begun[ended], sights[ended]!)
        return sights
      } catch (error) {
        if (near) for (; ended < keys.length; ended++) near.end()
        throw error
      }
    },
    judge,
    again(wireKey, { value, found }) {
      if (near) return handedOut(value)
      const opened = open(wireKey, found.bytes)
      return opened instanceof Scoped ? opened.value : value
    },
  }
}

function missing(over: Found, isLeased = false): Sight {
  return { status: 'missing', over, isLeased, isAway: false }
}
