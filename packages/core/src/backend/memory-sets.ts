import type { Clock } from '../clock.ts'
import type { Member } from './backend.ts'

/** Sets in memory whose members expire one by one. */
export interface MemorySets {
  add(set: string, members: readonly Member[]): void
  remove(set: string, members: readonly string[]): void
  members(set: string, range: { readonly from: number; readonly limit: number }): Member[]
  all(set: string): Member[]
  clear(): void
}

export function createMemorySets(clock: Clock): MemorySets {
  const sets = new Map<string, Map<string, number>>()

  function live(set: string): Map<string, number> {
    const members = sets.get(set) ?? new Map<string, number>()
    const now = clock.now()
    for (const [member, expiresAt] of members) if (expiresAt < now) members.delete(member)
    return members
  }

  return {
    add(set, added) {
      const members = live(set)
      for (const [member, expiresAt] of added)
        members.set(member, Math.max(expiresAt, members.get(member) ?? 0))
      if (members.size > 0) sets.set(set, members)
    },
    remove(set, removed) {
      const members = live(set)
      for (const member of removed) members.delete(member)
      if (members.size === 0) sets.delete(set)
    },
    members: (set, { from, limit }) =>
      [...live(set)]
        .filter(([, expiresAt]) => expiresAt >= from)
        .sort(([, a], [, b]) => a - b)
        .slice(0, limit),
    all: (set) => [...live(set)],
    clear: () => sets.clear(),
  }
}
