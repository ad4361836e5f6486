import type { Backend, ConnectionChange } from '../backend/backend.ts'
import type { Clock, Timer } from '../clock.ts'
import type { State } from '../events.ts'
import type { Milliseconds } from '../units.ts'
import { asIs, createCalls, failed, succeeded, throwFault, type Answer, type CallWatcher } from './calls.ts'
import { afterFailure, allows, closed, open, starting, type Access, type Circuit } from './circuit.ts'
import { classify, deadlineFault, foreignReplyFault, lostFault, type Fault } from './classify.ts'
import { createDeadlines } from './deadlines.ts'
import { createProbe, type Finding } from './probe.ts'

/** Decides whether the primary is asked, bounds how long it may take, and finds out when it is back. */
export interface Availability {
  state(): State
  circuit(): Circuit
  /** Whether a call would be sent to the primary now. */
  allows(access: Access): boolean
  /** Sends a call to the primary; resolves within the operation timeout (+ 10 %), and never rejects. */
  call<T>(access: Access, operation: () => Promise<T>): Promise<Answer<T>>
  /** The same for those who know what to make of either outcome; rejects only with what they throw. */
  ask<T, R>(
    access: Access,
    operation: () => Promise<T>,
    onValue: (value: T) => R | Promise<R>,
    onFault: (fault: Fault) => R,
  ): Promise<R>
  /** An answer was not ours: drops the connection and all that is in flight on it. */
  reportForeignReply(): void
  /** Runs before the primary is trusted again; a fault in it keeps the circuit open. Bound its calls with `call`. */
  onRecovery(settle: (settling: Settling) => Promise<Fault | undefined>): void
  /** Tells of every change of the circuit; gives a function that stops it. */
  watch(listener: (circuit: Circuit) => void): () => void
  /** Resolves once the primary is known to be there or not. */
  settled(): Promise<void>
  close(): void
}

/** What a recovery hook gets to work with. */
export interface Settling {
  /** Calls the primary under the deadline although the circuit is not closed yet. */
  call<T>(operation: () => Promise<T>): Promise<Answer<T>>
}

export interface AvailabilityOptions {
  readonly backend: Backend
  readonly prefix: string
  readonly clock: Clock
  readonly random: () => number
  readonly operationTimeout: Milliseconds
  readonly tripAfter: number
  readonly probe: { readonly min: Milliseconds; readonly max: Milliseconds }
  readonly recoveryJitter: Milliseconds
  readonly onTransition: (from: State, to: State, circuit: Circuit) => void
  /** An answer was not ours, and the connection has been dropped. */
  readonly onForeignReply: () => void
}

/** How long the first connection may take before the process goes on without it. */
const startTimeout = 1_000
/** Probes that may stay unanswered before the connection is dropped: a dead peer never says that it is gone. */
const silentProbes = 3
/** How long misconfiguration is probed at the ordinary pace, before only every {@link slowProbe}. */
const misconfiguredPatience = 60_000
const slowProbe = 5_000

/** Creates the availability of one backend. */
export function createAvailability(options: AvailabilityOptions): Availability {
  const { backend, clock, random, tripAfter } = options
  const deadlines = createDeadlines({ timeout: options.operationTimeout, clock })
  const calls = createCalls(deadlines)
  const probe = createProbe(backend, options.prefix)
  const hooks: ((settling: Settling) => Promise<Fault | undefined>)[] = []
  const watchers = new Set<(circuit: Circuit) => void>()
  const started = Promise.withResolvers<void>()

  let circuit: Circuit = starting
  let openedAt = clock.now()
  let attempt = 0
  let unanswered = 0
  let timer: Timer | undefined
  let probing = false
  let isClosed = false
  let unwatch: (() => void) | undefined

  function move(next: Circuit): void {
    if (next === circuit || isClosed) return
    const from = stateOf(circuit)
    const wasOpen = circuit.at === 'open'
    circuit = next
    if (next.at !== 'starting') started.resolve()
    if (next.at === 'open' && !wasOpen) {
      attempt = 0
      openedAt = clock.now()
      if (!probing) scheduleProbe()
    }
    const to = stateOf(next)
    if (from !== to) options.onTransition(from, to, next)
    for (const watcher of watchers) watcher(next)
  }

  function fail(fault: Fault, silent: boolean): void {
    const before = circuit
    move(afterFailure(circuit, fault, { silent, tripAfter }))
    if (circuit.at === 'open' && before.at !== 'open' && circuit.scope === 'everything') deadlines.expireAll()
    if (fault.kind === 'integrity') drop()
  }

  function drop(): void {
    backend.reset?.()
    options.onForeignReply()
  }

  const watcher: CallWatcher = {
    onFault: fail,
    onValue() {
      if (circuit.at === 'closed' && circuit.failures > 0) circuit = closed
    },
  }

  /** At start a call waits for the first connection, within its deadline. */
  function gated<T>(access: Access, operation: () => Promise<T>): () => Promise<T> {
    if (circuit.at !== 'starting') return operation
    return async () => {
      await started.promise
      if (!allows(circuit, access)) throw offline
      return operation()
    }
  }

  function scheduleProbe(delay = nextDelay()): void {
    timer?.cancel()
    if (isClosed) return
    timer = clock.setTimeout(() => void runProbe(), delay)
  }

  function nextDelay(): Milliseconds {
    const { min, max } = options.probe
    const fault = circuit.at === 'open' ? circuit.fault : undefined
    const slow = fault?.kind === 'misconfigured' && clock.now() - openedAt > misconfiguredPatience
    const pace = slow ? slowProbe : Math.min(min * 2 ** Math.min(attempt, 20), max)
    attempt++
    return pace * (0.8 + 0.4 * random())
  }

  async function runProbe(): Promise<void> {
    if (probing || isClosed || circuit.at === 'closed') return
    probing = true
    timer?.cancel()
    const finding = await probe((operation) => calls.send(operation, asIs, throwFault))
    if (!isClosed) {
      noteSilence(finding)
      if (finding.writes) await recover()
      else heed(finding)
    }
    probing = false
    if (circuit.at === 'open') scheduleProbe()
  }

  function heed({ reads, fault = lostFault }: Finding): void {
    if (fault.kind === 'integrity') drop()
    const scope = reads ? 'writes' : 'everything'
    // Reads that came back go to the primary at once; writes stay with the journal until they can be settled.
    if (circuit.at === 'starting' || (circuit.at === 'open' && scope !== circuit.scope)) {
      move({ at: 'open', scope, fault })
    }
  }

  function noteSilence({ fault }: Finding): void {
    unanswered = fault?.code === 'DEADLINE' ? unanswered + 1 : 0
    if (unanswered < silentProbes) return
    unanswered = 0
    backend.reset?.()
  }

  async function recover(): Promise<void> {
    const before = circuit
    if (before.at === 'open') {
      move({ ...before, at: 'half-open' })
      // A whole fleet notices the same second; spread what it has to settle.
      await pause(options.recoveryJitter * random())
    }
    const settling: Settling = { call: (operation) => calls.send(operation, succeeded, failed) }
    for (const hook of hooks) {
      const fault = await hook(settling)
      if (isClosed || (circuit.at !== 'half-open' && circuit.at !== 'starting')) return
      if (fault) return move(open(fault))
    }
    move(closed)
  }

  function pause(ms: Milliseconds): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms))
  }

  function onConnection(change: ConnectionChange): void {
    if (isClosed) return
    if (change.status === 'ready') {
      unanswered = 0
      void runProbe()
    } else {
      const fault = change.cause ? classify(change.cause) : lostFault
      const isOfConnection = fault.kind !== 'rejected' && fault.kind !== 'writes-unavailable'
      fail(isOfConnection ? { ...fault, definite: true } : lostFault, true)
    }
  }

  // A turn later, so that whoever creates this has it in hand before the first transition.
  queueMicrotask(() => {
    if (isClosed) return
    if (!backend.watch) return void runProbe()
    timer = clock.setTimeout(() => circuit.at === 'starting' && fail(deadlineFault, true), startTimeout)
    unwatch = backend.watch(onConnection)
  })

  return {
    state: () => stateOf(circuit),
    circuit: () => circuit,
    allows: (access) => !isClosed && allows(circuit, access),
    call: (access, operation) => calls.send(gated(access, operation), succeeded, failed, watcher),
    ask: (access, operation, onValue, onFault) =>
      calls.send(gated(access, operation), onValue, onFault, watcher),
    reportForeignReply() {
      fail(foreignReplyFault, true)
    },
    onRecovery: (settle) => void hooks.push(settle),
    watch(listener) {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
    settled: () => started.promise,
    close() {
      isClosed = true
      timer?.cancel()
      unwatch?.()
      started.resolve()
      deadlines.expireAll()
    },
  }
}

/** Given to calls that waited for a start that did not come; the circuit is open by then and counts nothing. */
const offline = Object.assign(new Error('The primary is not available.'), { code: 'OFFLINE' })

function stateOf(circuit: Circuit): State {
  switch (circuit.at) {
    case 'closed':
      return 'healthy'
    case 'open':
      return 'degraded'
    case 'starting':
    case 'half-open':
      return 'recovering'
  }
}
