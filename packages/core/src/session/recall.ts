import type { Entries } from '../degradation/entries.ts'
import type { Found, Since, StoreOptions } from '../degradation/reading.ts'
import type { Milliseconds } from '../units.ts'
import type { Claims, Sent } from './continuity.ts'
import type { EngineOptions, Facts } from './facts.ts'
import { completedSince, draftOf, loadedEntry, loadedToken, ofBoth, type Loaded } from './loaded.ts'
import { isUnfounded, withToken } from './merge.ts'
import type { SessionData } from './session-data.ts'

/** Requests that overlap may leave a visitor with the token of the one that was not the last: by so much it may be older. */
const overlap: Milliseconds = 10_000
/** Loads sessions: from Redis, from memory, from their tokens, or from what each of them knows better. */
export function createRecall(
  options: EngineOptions,
  facts: Facts,
  end: (id: string) => Promise<unknown>,
): (id: string, token?: string) => Promise<Loaded> {
  const { entries, endings, continuity, availability, events, clock } = options
  const { knownOf, forget, digest, isEnded, userOf, lifetimeOf, noted, missing, ended } = facts

  async function load(id: string, token?: string): Promise<Loaded> {
    if (isEnded(id)) return ended()
    const sent = token === undefined ? undefined : continuity?.open(digest(id), token)
    if (sent?.isTrusted && mayTrust(id, sent)) return noted(id, loadedToken(sent, false))
    const reading = await entries.get(id)
    if (isEnded(id)) return ended()
    switch (reading.status) {
      case 'found':
        return found(id, reading, sent)
      case 'missing':
        if (!sent) return forgotten(id)
        return reading.origin === 'primary' ? restore(id, sent, reading.copy) : serve(sent)
      case 'unknown':
        return sent ? serve(sent) : { status: 'unknown', draft: draftOf({}) }
    }
  }

  /** Token first asks nobody: so only while endings are heard of, and not for an older version than was seen here. */
  function mayTrust(id: string, { claims }: Sent): boolean {
    return (
      availability.state() === 'healthy' && endings.isHearing() && knownOf(id).revision <= claims.revision
    )
  }

  /** Whatever was seen of it, a good token may bring it back. */
  function forgotten(id: string): Loaded {
    forget(id)
    return missing()
  }

  function serve(sent: Sent): Loaded {
    events.emit('session', { outcome: 'served', reason: 'Redis is away' })
    return loadedToken(sent, 'token')
  }

  async function found(id: string, reading: Found, sent: Sent | undefined): Promise<Loaded> {
    if (reading.endsAt > 0 && reading.endsAt <= clock.now()) return missing()
    const user = endings.isEmpty() ? undefined : userOf(reading.value as SessionData)
    if (user && endings.isUserEnded(user, digest(id), reading.stamp)) {
      await end(id)
      return ended()
    }
    const isNewer = sent && reading.revision > 0 && sent.claims.revision > reading.revision
    return sent && (isNewer || isUnfounded(reading))
      ? complete(id, reading, sent)
      : noted(id, loadedEntry(reading, sent))
  }

  /**
   * The token is newer than the record: written during an outage, or Redis has gone back to an older copy. Or the record was
   * begun in this process without knowing what Redis has.
   */
  async function complete(id: string, reading: Found, sent: Sent): Promise<Loaded> {
    const { claims } = sent
    const data = withToken(reading, sent)
    const reason = reading.origin === 'primary' ? 'Redis had an older one' : 'memory had an older one'
    events.emit('session', { outcome: 'completed', reason })
    const revision = Math.max(claims.revision, reading.revision)
    const begunAt = Math.max(claims.begunAt, reading.stamp)
    const { endsAt } = claims
    // To complete is no decision: what is changed from now on is measured against the token.
    const isTold = reading.origin === 'primary' && availability.allows('write')
    if (!isTold && !reading.basis)
      return adopted(id, data, sent, { revision, begunAt, since: completedSince(reading, sent) })
    const basis = reading.basis && ofBoth(entries, id, sent, reading)
    const result = await put(id, data, { endsAt, revision, begunAt, over: reading, basis, decides: !isTold })
    if (result.status === 'stored') return noted(id, loadedEntry(result.entry, sent))
    return result.current.status === 'found' ? found(id, result.current, sent) : missing()
  }

  /** While Redis is away, or takes no writes, this process goes by the token. */
  function adopted(
    id: string,
    data: SessionData,
    sent: Sent,
    { revision, begunAt, since }: { revision: number; begunAt: number; since: Since },
  ): Loaded {
    const { endsAt } = sent.claims
    const ttl = Math.max(1, lifetimeOf(data, endsAt))
    return noted(
      id,
      loadedEntry(entries.adopt(id, data, { revision, stamp: begunAt, endsAt, since, ttl }), sent),
    )
  }

  /** Redis has nothing, and nobody ended it: it was lost, evicted, or born in an outage. */
  async function restore(id: string, sent: Sent, copy: Found | undefined): Promise<Loaded> {
    const { claims } = sent
    const isInStep = await endings.isInStep()
    if (!(await continuity!.mayRestore(claims))) return missing()
    const isOver = (): boolean =>
      isEnded(id) ||
      (claims.user !== undefined && endings.isUserEnded(claims.user, digest(id), claims.begunAt))
    if (isOver()) return ended()
    const isNewer = copy !== undefined && copy.revision >= claims.revision
    if (!isNewer && knownOf(id).revision - overlap > claims.revision) {
      events.emit('session', { outcome: 'refused', reason: 'older than a version seen' })
      return missing()
    }
    const data = isNewer ? (copy.value as SessionData) : sent.data
    const revision = isNewer ? copy.revision : claims.revision
    const { begunAt, endsAt } = claims
    // What is saved over it must not be given up for want of it in Redis.
    const unstored = (): Loaded =>
      noted(id, {
        ...loadedEntry(entries.assume(id, data, { revision, stamp: begunAt, endsAt }), sent),
        degraded: isNewer ? 'memory' : 'token',
      })
    // Whether it was ended cannot be asked, or it cannot be kept: Redis does not stand behind it.
    if (!isInStep || !availability.allows('write')) return unstored()
    const result = await put(id, data, { endsAt, begunAt, revision, over: 'absent', decides: false })
    if (isOver()) {
      await end(id)
      return ended()
    }
    if (result.status === 'stored') {
      if (result.entry.origin !== 'primary') return unstored()
      events.emit('session', { outcome: 'restored', reason: 'evicted or lost' })
      return noted(id, loadedEntry(result.entry, sent))
    }
    return result.current.status === 'found' ? found(id, result.current, sent) : missing()
  }

  function put(
    id: string,
    data: SessionData,
    at: Pick<Claims, 'revision' | 'endsAt' | 'begunAt'> & Pick<StoreOptions, 'over' | 'basis' | 'decides'>,
  ): ReturnType<Entries['set']> {
    const { begunAt: stamp, ...options } = at
    return entries.set(id, data, { ...options, stamp, ttl: Math.max(1, lifetimeOf(data, at.endsAt)) })
  }

  return load
}
