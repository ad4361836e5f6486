import type { Backend } from '@holdfast/core'
import type { ConformantCache } from './conformant-cache.ts'
import type { SessionStore } from './session-store.ts'

/** The ways in which the other side is made to fail. */
export const faults = ['cut', 'hang', 'slow'] as const
export type FaultName = (typeof faults)[number]

/**
 * Breaks the connection between the subject's clients and their data. What is left out cannot be tried: the report
 * lists those promises as not claimed. Whatever these give is waited for, a promise or not; so it is with all that a subject does.
 */
export interface Fault {
  /** Drops every connection and refuses new ones. */
  cut?(): unknown
  /** Keeps connections open and answers nothing; what was sent takes effect after {@link Fault.restore}, or never. */
  hang?(): unknown
  /** Answers, but seconds late. */
  slow?(): unknown
  /** Ends the fault, whichever it was. */
  restore?(): unknown
}

interface Subject<Client, Words extends readonly unknown[] = []> {
  /** Names it in the report. */
  readonly name: string
  /** Gives a fresh client on the same data; several may be open at once. */
  create(...words: Words): Client | Promise<Client>
  readonly fault?: Fault
  /**
   * Reads, in ms since the epoch, and moves the clock that the subject was created with. Left out: the suite waits in real
   * time, with short ttls.
   */
  readonly clock?: { now(): number; advance(ms: number): unknown }
  /** Lets go of what the subject itself holds: servers, proxies, files. Called when the run is over. */
  stop?(): unknown
}

/** A backend to be put to the test. What it claims is read from the backend itself. */
export interface BackendSubject extends Subject<Backend> {
  readonly kind?: 'backend'
  /**
   * The largest value that it has to take, in bytes: the `limits.value` of those who use it. Default: Holdfast's own, 8 MB.
   */
  readonly limits?: { readonly value: number }
  /** Removes all entries at once and behind the clients' backs, as an operator would. Left out: not tried. */
  flush?(): unknown
}

/** An express-session store to be put to the test. */
export interface SessionStoreSubject extends Subject<SessionStore> {
  readonly kind: 'session store'
  /** Lets go of one store, as its application would. Left out: nothing is said about closed stores. */
  close?(store: SessionStore): unknown
  /** Whether every store that `create` gives has the same sessions; a store has no way to say so itself. */
  readonly shared?: boolean
  /** How long a callback may take while the other side is away, in ms; default 1,000. */
  readonly deadline?: number
}

/** A cache to be put to the test: core's own, or anything of its shape. */
export interface CacheSubject extends Subject<ConformantCache, [space: string]> {
  readonly kind: 'cache'
  /**
   * Gives a fresh cache of a space, such as a prefix: caches of one space on the same data have the same entries, and those of
   * two have none in common.
   */
  create(space: string): ConformantCache | Promise<ConformantCache>
  /** Gives one as another process of the fleet would have it. Left out: nothing is said about several processes. */
  createPeer?(space: string): ConformantCache | Promise<ConformantCache>
  /** Lets go of one cache, as its application would. Left out: nothing is said about closed caches. */
  close?(cache: ConformantCache): unknown
  /**
   * Puts something foreign where a key's entry stands: bytes, and a list; data that know no lists may have its text instead. Left
   * out: nothing is said about foreign values.
   */
  plant?(space: string, key: string, value: Uint8Array | readonly string[]): unknown
  /** Whether entries past their ttl are kept for their `grace`; a cache has no way to say so itself. */
  readonly grace?: boolean
  /** How many factories the cache runs at once while the other side is away. Left out: as many as it likes. */
  readonly factories?: number
  /** How long a call may take while the other side is away, in ms and beside the factory; default 1,000. */
  readonly deadline?: number
}

/** Whatever can be put to the test. */
export type AnySubject = BackendSubject | SessionStoreSubject | CacheSubject
/** What a subject is. */
export type Kind = NonNullable<AnySubject['kind']>

/** Says what to test: `export default defineBackend({ name, create })`. */
export function defineBackend(subject: Omit<BackendSubject, 'kind'>): BackendSubject {
  return checked({ ...subject, kind: 'backend' })
}

/** Says what to test: `export default defineSessionStore({ name, create })`. */
export function defineSessionStore(subject: Omit<SessionStoreSubject, 'kind'>): SessionStoreSubject {
  return checked({ ...subject, kind: 'session store' })
}

/** Says what to test: `export default defineCache({ name, create })`. */
export function defineCache(subject: Omit<CacheSubject, 'kind'>): CacheSubject {
  return checked({ ...subject, kind: 'cache' })
}

/** Gives a subject back if it can be one; throws a `TypeError` that says what is missing. */
export function checked<Given extends AnySubject>(subject: Given): Given {
  if (typeof subject !== 'object' || subject === null) throw new TypeError('A subject must be an object.')
  if (typeof subject.name !== 'string' || subject.name === '')
    throw new TypeError('A subject needs a "name".')
  if (typeof subject.create !== 'function') throw new TypeError('A subject needs a function "create".')
  return subject
}

/** Whether the subject can be put under a fault, and freed of it. */
export function offers(subject: { readonly fault?: Fault }, fault: FaultName): boolean {
  return typeof subject.fault?.[fault] === 'function' && typeof subject.fault.restore === 'function'
}
