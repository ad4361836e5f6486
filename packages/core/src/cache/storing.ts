import type { Entries } from '../degradation/entries.ts'
import type { Found } from '../degradation/reading.ts'
import { Scoped } from '../envelope/scoped.ts'
import { HoldfastError } from '../errors.ts'
import type { Milliseconds } from '../units.ts'
import { frozen } from './freeze.ts'
import type { Leases } from './lease.ts'
import type { Policy } from './policy.ts'
import type { Reserve } from './reserve.ts'
import type { Counters } from './statistics.ts'
import type { Scope, Versions } from './versions.ts'

/** Stores values under their policies. */
export interface Storing {
  /** Stores a value that somebody decided on; tells whether the primary has it. */
  put(key: string, wireKey: string, value: unknown, policy: Policy): Promise<boolean>
  /**
   * Stores what a factory made, over what was there before; gives what to hand out. No decision: where it cannot be stored, or
   * the entry has changed meanwhile, nothing is lost. Rejects only for a value that could never be stored.
   */
  fill(key: string, wireKey: string, value: unknown, policy: Policy, at: Place): Promise<unknown>
  /** Keeps what was made while the primary is away as this process' copy, where the policy has a grace; stores nothing. */
  keepCopy(key: string, wireKey: string, value: unknown, policy: Policy): Promise<void>
}

/** Where what a factory made belongs. */
export interface Place {
  readonly scope: Scope
  /** What it may be written over; left out: anything. */
  readonly over: Found | undefined
  /** Whether something is there that is past its ttl. */
  readonly isThere: boolean
}

export interface StoringOptions {
  readonly entries: Entries
  readonly versions: Versions
  readonly leases: Leases
  readonly reserve: Reserve
  readonly counters: Counters
  /** Whether what is handed out is kept near at hand as well, so that nobody may change it. */
  readonly freezes: boolean
  /** Gives the value that the bytes stand for. */
  readonly open: (wireKey: string, bytes: Uint8Array) => unknown
  readonly now: () => number
  readonly onUnstored: (reason: string) => void
}

export function createStoring(options: StoringOptions): Storing {
  const { entries, versions, leases, reserve, counters, now } = options

  /** When a value stops being fresh, when it ends, and how long that is. */
  function lifeFrom(
    ttl: Milliseconds,
    grace: Milliseconds,
  ): { stamp: number; endsAt: number; ttl?: Milliseconds } {
    if (ttl === Infinity) return { stamp: 0, endsAt: 0 }
    const stamp = now() + ttl
    return { stamp, endsAt: stamp + grace, ttl: ttl + grace }
  }

  function put(key: string, wireKey: string, value: unknown, policy: Policy): Promise<boolean> {
    const { tags, ttl } = policy.lifeOf(value)
    if (ttl <= 0) return entries.delete(key).then(() => false)
    const storeIn = (scope: Scope): Promise<boolean> => {
      const life = lifeFrom(ttl, policy.grace)
      return entries.set(key, new Scoped(value, scope.generation, scope.tags), life).then((stored) => {
        if (stored.status !== 'stored') return false
        copy(wireKey, stored.entry.bytes, policy, life.endsAt)
        return stored.entry.origin === 'primary'
      })
    }
    const scope = versions.scopeOf(tags)
    return scope instanceof Promise ? scope.then(storeIn) : storeIn(scope)
  }

  async function fill(
    key: string,
    wireKey: string,
    value: unknown,
    policy: Policy,
    { scope, over, isThere }: Place,
  ): Promise<unknown> {
    const { tags: own, ttl } = policy.lifeOf(value)
    if (ttl <= 0) {
      reserve.outdate(wireKey)
      if (over || isThere) await leases.clear(key, over)
      return value
    }
    try {
      const { generation, tags } = policy.tags ? scope : await versions.scopeOf(own)
      const life = lifeFrom(ttl, policy.grace)
      const stored = await entries.set(key, new Scoped(value, generation, tags), {
        ...life,
        ...(over && { over }),
        decides: false,
      })
      if (stored.status === 'conflict') {
        reserve.outdate(wireKey)
        return value
      }
      if (over && stored.entry.origin !== 'primary') await leases.release(key, over)
      copy(wireKey, stored.entry.bytes, policy, life.endsAt)
      if (!options.freezes) return value
      const opened = options.open(wireKey, stored.entry.bytes)
      return opened instanceof Scoped ? frozen(opened.value) : value
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_NOT_SERIALISABLE') throw error
      counters.unstored++
      options.onUnstored(error instanceof HoldfastError ? error.code : 'ERROR')
      // Nobody would give it back, and all would wait for its end.
      if (over) await leases.release(key, over).catch(() => undefined)
      return value
    }
  }

  async function keepCopy(key: string, wireKey: string, value: unknown, policy: Policy): Promise<void> {
    reserve.outdate(wireKey)
    try {
      const { tags, ttl } = policy.lifeOf(value)
      if (ttl <= 0 || policy.grace <= 0) return
      const scope = await versions.scopeOf(tags)
      const { stamp, endsAt } = lifeFrom(ttl, policy.grace)
      const scoped = new Scoped(value, scope.generation, scope.tags)
      const { bytes } = entries.assume(key, scoped, { revision: entries.revise(), stamp, endsAt })
      copy(wireKey, bytes, policy, endsAt)
    } catch {
      // What cannot be stored has no copy.
    }
  }

  function copy(wireKey: string, bytes: Uint8Array, { grace }: Policy, endsAt: number): void {
    if (grace > 0) reserve.keep(wireKey, bytes, endsAt)
    else reserve.outdate(wireKey)
  }

  return { put, fill, keepCopy }
}
