import { eventually, margin, within } from './expect.ts'
import { ask, type SessionStore, type StoredSession } from './session-store.ts'
import type { FaultName, SessionStoreSubject } from './subject.ts'

/** What a case about session stores stands on. */
export interface StoreGround {
  readonly subject: SessionStoreSubject
  readonly fault: FaultName
  /** A store that the cases of a run share. */
  readonly store: SessionStore
  /** How long a callback may take in an outage, in ms. */
  readonly deadline: number
  sid(name: string): string
  open(): Promise<SessionStore>
  usable(): Promise<void>
  /** The same ground with other ids, for a case that is tried again. */
  again(): StoreGround
  wait(ms: number): Promise<void>
  close(): Promise<void>
}

/** What the grounds of a run have in common. */
export interface StoreRun {
  readonly subject: SessionStoreSubject
  readonly fault: FaultName
  readonly store: SessionStore
  readonly id: string
}

const defaultDeadline = 1_000

/** Creates the ground of one case. */
export function createStoreGround({ subject, fault, store, id }: StoreRun, index: number): StoreGround {
  const opened: SessionStore[] = []
  const ground: StoreGround = {
    subject,
    fault,
    store,
    deadline: (subject.deadline ?? defaultDeadline) + margin,
    sid: (name) => `${id}-${index}-${name}`,
    again: () => ({ ...ground, sid: (name) => `${id}-${index}-again-${name}` }),
    async open() {
      const own = await subject.create()
      opened.push(own)
      return own
    },
    usable: () =>
      eventually(async () => {
        await within(1_000, ask((done) => store.set(`${id}-usable`, sessionOf('nobody'), done)), 'set')
      }, 5_000),
    async wait(ms) {
      if (subject.clock) await subject.clock.advance(ms)
      else await new Promise((resolve) => void setTimeout(resolve, ms))
    },
    async close() {
      await Promise.all(opened.splice(0).map((own) => subject.close?.(own)))
    },
  }
  return ground
}

/** A session with an hour to live, or another time. */
export function sessionOf(user: string, maxAge = 3_600_000): StoredSession & { user: string } {
  const expires = new Date(Date.now() + maxAge)
  return { cookie: { originalMaxAge: maxAge, maxAge, expires, httpOnly: true, path: '/' }, user }
}
