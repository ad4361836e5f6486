import { createHoldfast, HoldfastError, type Loaded, type Sessions } from '@holdfast/core'
import {
  defineSessionStore,
  type SessionStore,
  type SessionStoreSubject,
  type StoredSession,
} from '@holdfast/conformance'
import { model } from './model.ts'

/** What a store of the model is made of; mutants break it. */
export type StoreMutation = (
  store: SessionStore,
  sessions: Sessions,
  closed: AbortSignal,
) => Partial<SessionStore>

/** A session store that keeps every promise, over the model backend. */
export function modelStore(mutate: StoreMutation = () => ({})): SessionStoreSubject {
  const { create, fault } = model()
  const closers = new WeakMap<SessionStore, () => Promise<void>>()
  return defineSessionStore({
    name: 'model store',
    async create() {
      const holdfast = createHoldfast({ backend: await create(), logger: false, prefix: 'model' })
      const sessions = holdfast.sessions()
      const store = storeOf(sessions)
      const closing = new AbortController()
      const mutated = Object.assign(store, mutate({ ...store }, sessions, closing.signal)) as SessionStore
      closers.set(mutated, () => {
        closing.abort()
        return holdfast.close()
      })
      return mutated
    },
    close: async (store) => closers.get(store)?.(),
    shared: true,
    ...(fault && { fault }),
  })
}

function storeOf(sessions: Sessions): Required<SessionStore> {
  const loads = new WeakMap<object, Loaded>()

  async function load(sid: string): Promise<StoredSession | null> {
    const loaded = await sessions.load(sid)
    if (loaded.status === 'missing') return null
    const data = (loaded.status === 'found' ? structuredClone(loaded.data) : { cookie: {} }) as StoredSession
    loads.set(data, loaded)
    return data
  }

  return {
    get: (sid, done) => answer(load(sid), done),
    set: (sid, session, done) =>
      answer(
        sessions
          .save(sid, session as never, loads.get(session))
          .then((saved) => void loads.set(session, saved)),
        done,
      ),
    touch: (sid, session, done) => answer(sessions.touch(sid, session as never, loads.get(session)), done),
    destroy: (sid, done) => answer(sessions.end(sid), done),
    all: (done) =>
      answer(
        sessions.all().then((all) => all.map(({ data }) => data as StoredSession)),
        done,
      ),
    ids: (done) => answer(sessions.ids(), done),
    length: (done) => answer(sessions.count(), done),
    clear: (done) => answer(sessions.clear(), done),
  }
}

function answer<T>(promise: Promise<T>, done: ((error: unknown, value?: T) => void) | undefined): void {
  promise.then(
    (value) => done && process.nextTick(done, null, value),
    (error: unknown) =>
      done && process.nextTick(done, error ?? new HoldfastError('ERR_HOLDFAST_REJECTED', 'Unknown.')),
  )
}
