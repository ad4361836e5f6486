import type { Sessions } from '@holdfast/core'
import type { SessionStore, StoredSession } from '@holdfast/conformance'
import type { StoreMutation } from './model-store.ts'

export interface StoreMutant {
  readonly breaks: string
  readonly by: string
  readonly mutation: StoreMutation
}

type Done<T> = (error: unknown, value?: T) => void

/** How late a late write is, in ms: after the outage that it was made in. */
const late = 700

function mutant(breaks: string, by: string, mutation: StoreMutation): StoreMutant {
  return { breaks, by, mutation }
}

/** One mutant for each promise of a session store. */
export const storeMutants: readonly StoreMutant[] = [
  mutant('gives a session back with its cookie', 'keeping the data only', (store) => ({
    get: (sid, done) =>
      store.get(sid, (error, session) => done(error, session && { ...session, cookie: {} })),
  })),
  mutant('gives a session back with its cookie', 'keeping when it ends only', (store) => ({
    get: (sid, done) =>
      store.get(sid, (error, session) => {
        const { originalMaxAge, expires } = session?.cookie ?? {}
        done(error, session && ({ ...session, cookie: { originalMaxAge, expires } } as StoredSession))
      }),
  })),
  mutant('has no session and no error for an unknown id', 'an error', (store) => ({
    get: (sid, done) =>
      store.get(sid, (error, session) => (session ? done(error, session) : done(new Error('ENOENT')))),
  })),
  mutant('calls back exactly once', 'calling back twice', (store) => ({
    destroy: (sid, done) => store.destroy(sid, (error) => (done?.(error), setImmediate(() => done?.(error)))),
  })),
  mutant('can be told to store and to destroy without', 'doing nothing then', (store) => ({
    destroy: (sid, done) => done && store.destroy(sid, done),
  })),
  mutant('replaces a session, and keeps it apart', 'merging', (store) => ({
    set: (sid, session, done) =>
      store.get(sid, (_, old) => store.set(sid, Object.assign(session, { ...old, ...session }), done)),
  })),
  mutant('takes ids of any characters', 'taking capitals for small letters', (store) => ({
    set: (sid, session, done) => store.set(sid.toLowerCase(), session, done),
    get: (sid, done) => store.get(sid.toLowerCase(), done),
  })),
  mutant('destroys a session', 'not at all', () => ({
    destroy: (_sid, done) => setImmediate(() => done?.(null)),
  })),
  mutant('takes ids of any characters', 'cutting them off at 200', (store) => ({
    set: (sid, session, done) => store.set(sid.slice(0, 200), session, done),
    get: (sid, done) => store.get(sid.slice(0, 200), done),
  })),
  mutant('destroys a session', 'with those whose ids begin alike', (store) => ({
    destroy: (sid, done) => store.destroy(`${sid}b`, () => store.destroy(sid, done)),
    set: (sid, session, done) => store.set(sid.replace('a:b', 'ab'), session, done),
    get: (sid, done) => store.get(sid.replace('a:b', 'ab'), done),
  })),
  mutant('keeps a session of 100 kB', 'dropping those above 64 kB', (store) => ({
    set: (sid, session, done) =>
      JSON.stringify(session).length > 65_536
        ? calledBack(sid, session, done)
        : store.set(sid, session, done),
  })),
  mutant('keeps what was stored when the caller changes', 'keeping the object itself', (store) => {
    const kept = new Map<string, StoredSession>()
    return {
      set: (sid, session, done) => (kept.set(sid, session), store.set(sid, session, done)),
      get: (sid, done) =>
        kept.has(sid) ? setImmediate(() => done(null, kept.get(sid)!)) : store.get(sid, done),
    }
  }),
  mutant('stores every one of many sessions', 'one at a time', (store) => {
    let busy = false
    return {
      set(sid, session, done) {
        if (busy) return setImmediate(() => done?.(null))
        busy = true
        return store.set(sid, session, (error) => ((busy = false), done?.(error)))
      },
    }
  }),
  mutant('leaves one of many writes to a session whole', 'writing field by field', (store) => {
    const kept = new Map<string, StoredSession>()
    return {
      set(sid, session, done) {
        const old = kept.get(sid) ?? session
        kept.set(sid, { ...old, user: session['user'] })
        return store.set(sid, kept.get(sid)!, done)
      },
    }
  }),
  mutant('keeps a destroyed session destroyed when', 'going by what it once gave', remembering),
  mutant('lists the sessions that there are', 'listing none', () => ({
    all: (done) => setImmediate(() => done(null, [])),
  })),
  mutant('lists the ids that there are', 'listing none', () => ({
    ids: (done) => setImmediate(() => done(null, [])),
  })),
  mutant('counts its sessions, and clears them', 'clearing none', () => ({
    clear: (done) => setImmediate(() => done?.(null)),
  })),
  mutant('calls back in time once it is closed', 'never', (store, _sessions, closed) => ({
    get: (sid, done) => (closed.aborted ? undefined : store.get(sid, done)),
  })),
  mutant('forgets a session when its cookie expires', 'keeping it', (store) => ({
    set: (sid, session, done) => store.set(sid, lasting(session), done),
  })),
  mutant('forgets a session when its cookie expires', 'listing it on', (store) => {
    const kept = new Map<string, StoredSession>()
    return {
      set: (sid, session, done) => (kept.set(sid, session), store.set(sid, session, done)),
      get: (sid, done) =>
        store.get(sid, (error, session) => {
          if (!session) kept.delete(sid)
          done(error, session)
        }),
      all: (done) => setImmediate(() => done(null, [...kept.values()])),
    }
  }),
  mutant('forgets a session when its cookie expires', 'listing its id on', (store) => {
    const kept = new Set<string>()
    return {
      set: (sid, session, done) => (kept.add(sid), store.set(sid, session, done)),
      get: (sid, done) =>
        store.get(sid, (error, session) => {
          if (!session) kept.delete(sid)
          done(error, session)
        }),
      ids: (done) => setImmediate(() => done(null, [...kept])),
    }
  }),
  mutant('takes the time of the last cookie', 'keeping that of the first', (store) => {
    const first = new Map<string, StoredSession['cookie']>()
    return {
      set(sid, session, done) {
        if (!first.has(sid)) first.set(sid, session.cookie)
        return store.set(sid, { ...session, cookie: first.get(sid)! }, done)
      },
    }
  }),
  mutant('whose cookie lasts 25 or 30 days', 'a 32-bit timer', (store) => ({
    set(sid, session, done) {
      const left = new Date(String(session.cookie.expires)).getTime() - Date.now()
      return left > 2 ** 31 ? store.destroy(sid, done) : store.set(sid, session, done)
    },
  })),
  mutant('keeps a session whose cookie lasts as long as the browser', 'ending it at once', (store) => ({
    set: (sid, session, done) =>
      session.cookie.expires === null ? store.destroy(sid, done) : store.set(sid, session, done),
  })),
  mutant('has nothing of a session that was over', 'keeping it', (store) => ({
    set: (sid, session, done) => store.set(sid, lasting(session), done),
  })),
  mutant('extends a session that is touched', 'not at all', () => ({ touch: calledBack })),
  mutant('neither fails nor creates a session when', 'creating it', (store) => ({
    touch: (sid, session, done) => store.set(sid, session, done),
  })),
  mutant('keeps the data of a session that is touched', 'storing what was given', (store) => ({
    touch: (sid, session, done) => store.set(sid, session, done),
  })),
  mutant('calls back in time, and without an error', 'an error where it cannot ask', (store, sessions) => ({
    get: (sid, done) =>
      whenAway(
        sessions,
        sid,
        () => done(new Error('ECONNREFUSED')),
        () => store.get(sid, done),
      ),
  })),
  mutant('goes on with a session that was seen', 'forgetting it', (store, sessions) => ({
    get: (sid, done) =>
      whenAway(
        sessions,
        sid,
        () => done(null, null),
        () => store.get(sid, done),
      ),
  })),
  mutant('keeps what was saved over an unseen session', 'replacing it', (store, sessions) => ({
    set(sid, session, done) {
      if (session['basket'] === 2) setTimeout(() => void sessions.save(sid, { ...session } as never), late)
      return store.set(sid, session, done)
    },
  })),
  mutant(
    'keeps a session destroyed that was destroyed in the outage',
    'going by what it once gave',
    remembering,
  ),
]

/** A store that goes on with what it has given once, whatever became of it. */
function remembering(store: SessionStore): Partial<SessionStore> {
  const given = new Map<string, StoredSession>()
  return {
    get: (sid, done) =>
      store.get(sid, (error, session) => {
        if (session) given.set(sid, session)
        done(error, session ?? given.get(sid))
      }),
  }
}

function calledBack(_sid: string, _session: StoredSession, done?: Done<void>): void {
  setImmediate(() => done?.(null))
}

function lasting(session: StoredSession): StoredSession {
  return Object.assign(session, { cookie: { ...session.cookie, expires: new Date(Date.now() + 3_600_000) } })
}

/** Does one thing where a session comes from memory, and another where the backend could be asked. */
function whenAway(sessions: Sessions, sid: string, away: () => void, here: () => void): void {
  void sessions.load(sid).then((loaded) => {
    if (loaded.status === 'found' && loaded.degraded === 'memory') away()
    else here()
  })
}
