import {
  createHoldfast,
  HoldfastError,
  type Entries,
  type Holdfast,
  type HoldfastOptions,
  type Loaded,
  type Sessions,
} from '@holdfast/core'
import type { Mutant } from './mutant.ts'
import { override } from './override.ts'

type Change<Of> = (inner: Of, holdfast: Holdfast) => Partial<Of>

/** A mutant whose Holdfast is changed. */
function ofHoldfast(
  breaks: string,
  by: string,
  change: (inner: Holdfast, options: HoldfastOptions) => Partial<Holdfast>,
): Mutant {
  return {
    breaks,
    by,
    createHoldfast(options) {
      const inner = createHoldfast(options)
      return override(inner, change(inner, options))
    },
  }
}

/** A mutant whose sessions are changed. */
export function ofSessions(breaks: string, by: string, change: Change<Sessions>): Mutant {
  return ofHoldfast(breaks, by, (inner) => ({
    sessions(options) {
      const sessions = inner.sessions(options)
      return override(sessions, change(sessions, inner))
    },
  }))
}

/** A mutant whose entries are changed. */
function ofEntries(breaks: string, by: string, change: Change<Entries>): Mutant {
  return ofHoldfast(breaks, by, (inner) => ({
    entries(options) {
      const entries = inner.entries(options)
      return override(entries, change(entries, inner))
    },
  }))
}

/** Sessions that go on for whoever has seen them. */
export function remembering(sessions: Sessions): Partial<Sessions> {
  const seen = new Map<string, Loaded>()
  return {
    async load(id) {
      const loaded = await sessions.load(id)
      if (loaded.status === 'found') seen.set(id, loaded)
      return loaded.status === 'missing' ? (seen.get(id) ?? loaded) : loaded
    },
    async save(id, data, from) {
      const saved = await sessions.save(id, data, from)
      if (saved.status === 'found') seen.set(id, saved)
      return saved
    },
  }
}

export const isAway = (holdfast: Holdfast): boolean => holdfast.state !== 'healthy'
const forever = new Promise<never>(() => undefined)

export const outageMutants: readonly Mutant[] = [
  ofEntries(
    'ends every call within its deadline',
    'waiting for as long as it takes',
    (entries, holdfast) => ({
      getMany: (keys) => (isAway(holdfast) ? forever : entries.getMany(keys)),
    }),
  ),
  ofHoldfast('is degraded during an outage', 'never looking whether it is back', (inner) => {
    let wasAway = false
    return {
      get state() {
        wasAway ||= inner.state === 'degraded'
        return wasAway ? 'degraded' : inner.state
      },
    }
  }),
  ofHoldfast('comes up degraded during an outage', 'waiting for the backend', (inner) => ({
    ready: () =>
      isAway(inner) ? inner.ready().then(() => (isAway(inner) ? forever : undefined)) : inner.ready(),
  })),
  ofEntries('refuses everything', 'an error of its own', (entries, holdfast) => ({
    get: (key) =>
      isAway(holdfast) ? Promise.reject(new HoldfastError('ERR_HOLDFAST_REJECTED', 'No.')) : entries.get(key),
  })),
  ofEntries('serves nothing stale', 'forgetting what changed', (entries, holdfast) => ({
    async set(key, value, options) {
      const stored = {
        status: 'stored',
        entry: {
          status: 'found',
          value,
          bytes: Buffer.alloc(0),
          revision: 0,
          stamp: 0,
          endsAt: 0,
          origin: 'fallback',
        },
      } as const
      return isAway(holdfast) ? stored : entries.set(key, value, options)
    },
  })),
  ofSessions('answers "unknown", never "missing"', 'taking silence for absence', (sessions) => ({
    async load(id) {
      const loaded = await sessions.load(id)
      return loaded.status === 'unknown' ? { ...loaded, status: 'missing' } : loaded
    },
  })),
  ofSessions('brings two hundred writes', 'a journal of a hundred', (sessions, holdfast) => {
    let saved = 0
    return {
      async save(id, data, from) {
        if (isAway(holdfast) && ++saved > 100) return sessions.begin()
        return sessions.save(id, data, from)
      },
    }
  }),
  ofHoldfast('closes in time', 'waiting until the other side has said goodbye', (inner, { backend }) => ({
    close: async () => {
      await backend!.ping().catch(() => forever)
      await inner.close()
    },
  })),
  ofSessions('goes on with a session that was seen', 'dropping writes', (sessions, holdfast) => ({
    async save(id, data, from) {
      return isAway(holdfast) ? (from ?? sessions.begin()) : sessions.save(id, data, from)
    },
  })),
  ofSessions(
    'keeps a session ended that was ended in the outage',
    'going by what it once loaded',
    remembering,
  ),
  ofSessions(
    'keeps a session ended that one process ended while',
    'dropping the end',
    (sessions, holdfast) => ({
      end: async (id) => (isAway(holdfast) ? undefined : sessions.end(id)),
    }),
  ),
  ofSessions('lets the newer of two writes stand', 'letting the older one stand', (sessions, holdfast) => {
    const delayed: (() => void)[] = []
    holdfast.on(
      'transition',
      ({ to }) => to === 'healthy' && setTimeout(() => delayed.forEach((save) => save()), 100),
    )
    return {
      async save(id, data, from) {
        if (isAway(holdfast) && data['user'] === 'older') delayed.push(() => void sessions.save(id, data))
        return sessions.save(id, data, from)
      },
    }
  }),
  ofSessions('adds what was saved over an unseen session', 'replacing it', (sessions, holdfast) => {
    const late: (() => void)[] = []
    holdfast.on('transition', ({ to }) => to === 'healthy' && late.splice(0).forEach((save) => save()))
    return {
      async save(id, data, from) {
        if (from?.status === 'unknown') late.push(() => void sessions.save(id, data))
        return from?.status === 'unknown' ? from : sessions.save(id, data, from)
      },
    }
  }),
]
