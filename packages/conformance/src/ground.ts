import { createHoldfast, type Backend, type Holdfast, type HoldfastOptions } from '@holdfast/core'
import { answers, pause } from './expect.ts'
import type { BackendSubject, FaultName } from './subject.ts'

/** Makes the Holdfast that outages are ridden out with. */
export type HoldfastFactory = (options: HoldfastOptions) => Holdfast

/** What a case stands on: clients of the subject, and keys that are its own. */
export interface BackendGround {
  readonly subject: BackendSubject
  readonly fault: FaultName
  /** A client that the cases of a run share. */
  readonly backend: Backend
  /** A second one on the same data, where the backend is shared; the same one where it is not. */
  readonly other: Backend
  /** What all keys of this case begin with. */
  readonly prefix: string
  /** How long a Holdfast's call may take, in ms. */
  readonly deadline: number
  /** When the fault ended, in ms of `performance.now()`. */
  readonly restoredAt: () => number
  /** Resolves once the shared clients can be used again after an outage. */
  usable(): Promise<void>
  /** The same ground with other keys, for a case that is tried again. */
  again(): BackendGround
  key(name: string): string
  /** Opens a client of the case's own, and waits until it is connected. */
  open(): Promise<Backend>
  /** Creates a Holdfast on a client of its own, and waits until it knows how things stand. */
  holdfast(options?: HoldfastOptions): Promise<Holdfast>
  /** The time that the backend goes by, in ms since the epoch. */
  now(): number
  /** Lets time pass for the backend. */
  wait(ms: number): Promise<void>
  /** Closes everything that the case opened. */
  close(): Promise<void>
}

/** What the grounds of a run have in common. */
export interface BackendRun {
  readonly subject: BackendSubject
  readonly fault: FaultName
  readonly backend: Backend
  readonly other: Backend
  readonly prefix: string
  readonly createHoldfast?: HoldfastFactory | undefined
  readonly restoredAt: () => number
  readonly usable: () => Promise<void>
}

/** Core's own default: what is shorter finds outages where the machine is merely busy. */
const deadline = 200

/** Creates the ground of one case. */
export function createBackendGround(run: BackendRun, index: number): BackendGround {
  const { subject, createHoldfast: create = createHoldfast } = run
  const prefix = `${run.prefix}:${index}`
  const opened: { close(): Promise<void> }[] = []

  async function open(): Promise<Backend> {
    const backend = await subject.create()
    opened.push(backend)
    await answers(backend)
    return backend
  }

  const ground: BackendGround = {
    subject,
    fault: run.fault,
    backend: run.backend,
    other: run.other,
    prefix,
    deadline,
    restoredAt: run.restoredAt,
    usable: run.usable,
    again: () => ({ ...ground, key: (name) => `${prefix}:again:${name}` }),
    key: (name) => `${prefix}:${name}`,
    open,
    async holdfast(options) {
      const backend = await subject.create()
      const holdfast = create({ backend, prefix, operationTimeout: deadline, logger: false, ...options })
      opened.push(holdfast)
      await holdfast.ready()
      return holdfast
    },
    now: () => (subject.clock ? subject.clock.now() : Date.now()),
    async wait(ms) {
      await (subject.clock ? subject.clock.advance(ms) : pause(ms))
    },
    async close() {
      await Promise.all(opened.splice(0).map((client) => client.close()))
    },
  }
  return ground
}
