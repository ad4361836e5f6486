import type { Found, Reading } from '../degradation/reading.ts'
import { HoldfastError, optionError } from '../errors.ts'
import type { Milliseconds } from '../units.ts'
import type { EngineOptions, Facts } from './facts.ts'
import { digestOfUser, isSessionData, type SessionData } from './session-data.ts'
import type { SessionEntry, Sessions, UserSession } from './sessions.ts'

/** How long all sessions of a user stay ended: longer than any of them was going to live unseen. */
const userMarkLife: Milliseconds = 30 * 86_400_000

/** What concerns many sessions at once: those of a user, and all of them. */
export function createListing(
  options: EngineOptions,
  facts: Facts,
  end: (id: string) => Promise<boolean>,
): Pick<Sessions, 'list' | 'endOne' | 'endAll' | 'ids' | 'all' | 'clear' | 'count'> {
  const { entries, endings, index, availability, clock } = options
  const { digest, isEnded, userOf, usualLifetime } = facts

  async function list(user: string | number): Promise<UserSession[]> {
    const sessions = await sessionsOf(user)
    return sessions
      .map(({ id, entry }) => ({
        handle: digest(id),
        startedAt: Math.floor(entry.stamp),
        changedAt: Math.floor(entry.revision),
        note: options.note?.(entry.value as SessionData),
      }))
      .sort((a, b) => b.changedAt - a.changedAt)
  }

  async function sessionsOf(given: string | number): Promise<{ id: string; entry: Found }[]> {
    const user = indexed(given)
    const ids = (await index.idsOf(user)).filter((id) => !isEnded(id))
    const readings = ids.length === 0 ? [] : await entries.getMany(ids)
    const isTheirs = (reading: Reading, id: string): reading is Found =>
      reading.status === 'found' &&
      isSessionData(reading.value) &&
      userOf(reading.value) === user &&
      !endings.isUserEnded(user, digest(id), reading.stamp)
    const gone = ids.filter((_, i) => readings[i]!.status === 'missing')
    if (gone.length > 0) await index.forget(user, gone)
    return ids.flatMap((id, i) => {
      const entry = readings[i]!
      return isTheirs(entry, id) ? [{ id, entry }] : []
    })
  }

  async function endOne(user: string | number, handle: string): Promise<boolean> {
    const sessions = await sessionsOf(user)
    const session = sessions.find(({ id }) => digest(id) === handle)
    if (session) await end(session.id)
    else if (!availability.allows('read'))
      throw new HoldfastError(
        'ERR_HOLDFAST_UNAVAILABLE',
        'Whether the user has this session cannot be asked now.',
      )
    return session !== undefined
  }

  async function endAll(
    given: string | number,
    { except }: { except?: string | undefined } = {},
  ): Promise<void> {
    const user = indexed(given)
    const sessions = await sessionsOf(given)
    const ending = {
      of: 'user',
      user,
      before: entries.revise(),
      except: except === undefined ? undefined : digest(except),
      until: clock.now() + Math.max(userMarkLife, usualLifetime()),
    } as const
    await endings.end(ending, (tell) => entries.tell(() => tell()))
    await Promise.all(sessions.filter(({ id }) => id !== except).map(({ id }) => end(id)))
  }

  function indexed(user: string | number): string {
    if (!options.userId) throw optionError('userId', "a function, to know a user's sessions", options.userId)
    return digestOfUser(user, 'user', 'a text or a number')
  }

  async function ids(): Promise<string[]> {
    const all = new Set<string>()
    for await (const batch of entries.keys()) for (const id of batch) if (!isEnded(id)) all.add(id)
    return [...all]
  }

  async function all(): Promise<SessionEntry[]> {
    const found = new Map<string, SessionData>()
    for await (const batch of entries.keys()) {
      if (batch.length === 0) continue
      const readings = await entries.getMany(batch)
      for (const [i, reading] of readings.entries()) {
        const id = batch[i]!
        if (reading.status === 'found' && isSessionData(reading.value) && !isEnded(id))
          found.set(id, reading.value)
      }
    }
    return [...found].map(([id, data]) => ({ id, data }))
  }

  async function clear(): Promise<void> {
    await availability.settled()
    if (!availability.allows('write')) throw uncleared()
    for await (const batch of entries.primaryKeys()) {
      const told = await Promise.all(batch.map(end))
      if (told.includes(false)) throw uncleared()
    }
  }

  return { list, endOne, endAll, ids, all, clear, count: async () => (await ids()).length }
}

function uncleared(): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_UNAVAILABLE',
    'Redis did not answer: some sessions were not cleared.',
  )
}
