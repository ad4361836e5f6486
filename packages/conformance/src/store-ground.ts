import { margin, pause } from './expect.ts'
import type { SessionStore, StoredSession } from './session-store.ts'
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
  /** Opens a store of the case's own. */
  open(): Promise<SessionStore>
  /** Resolves once the shared store has had its time to recover. */
  usable(): Promise<void>
  /** The same ground with other ids, for a case that is tried again. */
  again(): StoreGround
  /** Lets time pass for the store. */
  wait(ms: number): Promise<void>
  /** Closes every store that the case opened. */
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
/** How long after an outage a store is left alone, as it cannot be asked whether it has recovered, in ms. */
const recoveryTime = 2_000

/** Creates the ground of one case. */
export function createStoreGround({ subject, fault, store, id }: StoreRun, index: number): StoreGround {
  const opened: SessionStore[] = []
  const ground: StoreGround = {
    subject,
    fault,
    store,
    deadline: (subject.deadline ?? defaultDeadline) + margin,
    sid: (name) => `${id}-${index}-${name}`,
    async open() {
      const own = await subject.create()
      opened.push(own)
      return own
    },
    usable: () => pause(recoveryTime).then(() => undefined),
    again: () => ({ ...ground, sid: (name) => `${id}-${index}-again-${name}` }),
    async wait(ms) {
      await (subject.clock ? subject.clock.advance(ms) : pause(ms))
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
