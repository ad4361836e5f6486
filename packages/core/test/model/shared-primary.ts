import {
  versionOf,
  written,
  type Member,
  type SetOptions,
  type SetOutcome,
} from '../../src/backend/backend.ts'

/** The one Redis of a model, without its lines: each method takes effect at once. */
export interface SharedPrimary {
  get(key: string): Uint8Array | undefined
  set(key: string, value: Uint8Array, options?: SetOptions): SetOutcome
  delete(key: string): boolean
  touch(key: string, ttl: number): boolean
  keys(prefix: string): string[]
  addMembers(set: string, members: readonly Member[]): void
  removeMembers(set: string, members: readonly string[]): void
  members(set: string, range: { readonly from: number; readonly limit: number }): Member[]
  publish(channel: string, message: Uint8Array): void
  /** Hears all that is published. */
  listen(listener: (channel: string, message: Uint8Array) => void): void
  /** Loses everything. */
  flush(): void
  /** Loses a key or a set. */
  evict(name: string): void
  copy(): PrimaryCopy
  /** Goes back to an older copy, as a replica that had not heard of the last writes. */
  restore(copy: PrimaryCopy): void
  /** Commands that were given up, and are still on their way. */
  readonly strays: (() => void)[]
  deliverStrays(): void
}

export interface PrimaryCopy {
  readonly values: ReadonlyMap<string, Value>
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number>>
}

interface Value {
  readonly bytes: Uint8Array
  readonly expiresAt: number
}

export function createSharedPrimary(now: () => number): SharedPrimary {
  let values = new Map<string, Value>()
  let sets = new Map<string, ReadonlyMap<string, number>>()
  const listeners: ((channel: string, message: Uint8Array) => void)[] = []
  const strays: (() => void)[] = []

  function live(key: string): Value | undefined {
    const value = values.get(key)
    return value && value.expiresAt > now() ? value : undefined
  }

  function expiry(ttl: number | undefined): number {
    return ttl === undefined ? Infinity : now() + ttl
  }

  return {
    get: (key) => live(key)?.bytes,
    set(key, value, { ttl, ifAbsent, ifVersion } = {}) {
      const current = live(key)?.bytes
      const isRefused = ifAbsent
        ? current !== undefined
        : ifVersion !== undefined && (current === undefined || versionOf(current) !== ifVersion)
      if (isRefused) return { written: false, current }
      values.set(key, { bytes: Buffer.from(value), expiresAt: expiry(ttl) })
      return written
    },
    delete: (key) => live(key) !== undefined && values.delete(key),
    touch(key, ttl) {
      const value = live(key)
      if (value) values.set(key, { ...value, expiresAt: expiry(ttl) })
      return value !== undefined
    },
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix) && live(key)),
    addMembers(name, members) {
      const set = new Map(sets.get(name))
      for (const [member, until] of members) set.set(member, Math.max(until, set.get(member) ?? 0))
      sets.set(name, set)
    },
    removeMembers(name, members) {
      const set = new Map(sets.get(name))
      for (const member of members) set.delete(member)
      sets.set(name, set)
    },
    members: (name, { from, limit }) =>
      [...(sets.get(name) ?? [])]
        .filter(([, until]) => until >= from)
        .sort(([, a], [, b]) => a - b)
        .slice(0, limit),
    publish(channel, message) {
      for (const listener of listeners) listener(channel, message)
    },
    listen: (listener) => void listeners.push(listener),
    flush() {
      values = new Map()
      sets = new Map()
    },
    evict(name) {
      values.delete(name)
      sets.delete(name)
    },
    // A set is replaced as a whole when it changes, so a copy needs no copy of its members.
    copy: () => ({ values: new Map(values), sets: new Map(sets) }),
    restore(copy) {
      values = new Map(copy.values)
      sets = new Map(copy.sets)
    },
    strays,
    deliverStrays() {
      for (const effect of strays.splice(0)) effect()
    },
  }
}
