import type { Availability } from '../availability/availability.ts'
import type { Fault } from '../availability/classify.ts'
import type { Settling } from '../availability/recovery.ts'
import type { ExpiringSets } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import { inBatches } from '../degradation/in-batches.ts'
import { keepSettled } from '../degradation/keep-settled.ts'
import { createLru } from '../lru.ts'
import { touchDue } from '../ttl.ts'
import type { Milliseconds } from '../units.ts'

/** Which sessions a user has: a set per user in the primary, and what this process has seen of it. */
export interface UserIndex {
  /** Notes that a session is a user's, and how long it lives; asks the primary only when that has changed enough. */
  note(user: string, id: string, lifetime: Milliseconds): Promise<void>
  /** Gives the ids of a user's sessions; while degraded those that this process knows. Some may have ended since. */
  idsOf(user: string): Promise<string[]>
  /** Forgets sessions that turned out to have ended. */
  forget(user: string, ids: readonly string[]): Promise<void>
}

interface Noted {
  readonly until: number
  /** The primary has not heard of it yet. */
  readonly isPending: boolean
}

const rememberedUsers = 20_000
const sessionsPerUser = 1_000
/** The share of its life after which a session is noted again. */
const renewAfter = 0.25
/** When what the primary has not heard of is tried again while the circuit is closed, after many tries. */
const settleAtLeast: Milliseconds = 5_000

export function createUserIndex(options: {
  /** Gives the primary's sets, where it has any, and lets us use them. */
  readonly sets: () => ExpiringSets | undefined
  readonly availability: Availability
  readonly clock: Clock
  /** Gives the name of a user's set. */
  readonly nameOf: (user: string) => string
}): UserIndex {
  const { availability, clock, nameOf } = options
  const users = createLru<Map<string, Noted>>(rememberedUsers)
  /** Users with sessions that the primary has not heard of. */
  const pending = new Set<string>()

  const settleLater = keepSettled({
    availability,
    clock,
    settle,
    isSettled: () => pending.size === 0,
    longestPause: settleAtLeast,
  })

  function known(user: string): Map<string, Noted> {
    const noted = users.get(user) ?? new Map<string, Noted>()
    users.set(user, noted)
    return noted
  }

  function keep(user: string, id: string, noted: Noted): void {
    const sessions = known(user)
    sessions.delete(id)
    sessions.set(id, noted)
    if (noted.isPending) {
      pending.add(user)
      settleLater()
    }
    if (sessions.size > sessionsPerUser) sessions.delete(sessions.keys().next().value!)
  }

  /** Settles who is pending by now, but none who comes meanwhile: there may always be another. */
  function settle({ call }: Settling): Promise<Fault | undefined> {
    return inBatches([...pending], clock, (user) => settleUser(user, call))
  }

  async function settleUser(user: string, call: Settling['call']): Promise<Fault | undefined> {
    const sets = options.sets()
    if (!sets) return undefined
    const members = [...(users.get(user) ?? [])].filter(([, { isPending }]) => isPending)
    const answer = await call(() =>
      sets.add(
        nameOf(user),
        members.map(([id, { until }]) => [id, until] as const),
      ),
    )
    if (!answer.ok && answer.fault.kind !== 'rejected') return answer.fault
    for (const [id, noted] of members)
      if (known(user).get(id) === noted) keep(user, id, { until: noted.until, isPending: false })
    if (![...known(user).values()].some(({ isPending }) => isPending)) pending.delete(user)
    return undefined
  }

  return {
    async note(user, id, lifetime) {
      const sets = options.sets()
      const now = clock.now()
      const noted = users.get(user)?.get(id)
      if (noted && !touchDue({ ttl: lifetime, remaining: noted.until - now, share: renewAfter })) return
      const until = now + lifetime
      const isSent = sets !== undefined && availability.allows('write')
      keep(user, id, { until, isPending: sets !== undefined && !isSent })
      if (!isSent) return
      const answer = await availability.call('write', () => sets.add(nameOf(user), [[id, until]]))
      if (!answer.ok) keep(user, id, { until, isPending: true })
    },
    async idsOf(user) {
      const sets = options.sets()
      const now = clock.now()
      const ids = new Set<string>()
      for (const [id, { until }] of users.get(user) ?? []) if (until > now) ids.add(id)
      if (!sets || !availability.allows('read')) return [...ids]
      const answer = await availability.call('read', () =>
        sets.members(nameOf(user), { from: now, limit: sessionsPerUser }),
      )
      if (answer.ok) for (const [id] of answer.value) ids.add(id)
      return [...ids]
    },
    async forget(user, ids) {
      const sets = options.sets()
      const sessions = users.get(user)
      for (const id of ids) sessions?.delete(id)
      if (sets && ids.length > 0 && availability.allows('write'))
        await availability.call('write', () => sets.remove(nameOf(user), ids))
    },
  }
}
