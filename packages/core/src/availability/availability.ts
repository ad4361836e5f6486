import type { Backend, ConnectionChange } from '../backend/backend.ts'
import type { Timer } from '../clock.ts'
import type { State } from '../events.ts'
import { soon } from '../soon.ts'
import type { Milliseconds } from '../units.ts'
import { createAwakening } from './awakening.ts'
import { asIs, createCalls, failed, succeeded, throwFault, type Answer, type CallWatcher } from './calls.ts'
import {
  afterFailure,
  afterProbe,
  allows,
  closed,
  isComing,
  isOutage,
  open,
  reconnecting,
  starting,
  stateOf,
  type Access,
  type Circuit,
} from './circuit.ts'
import { closedFault, deadlineFault, faultOfLoss, foreignReplyFault, type Fault } from './classify.ts'
import { createDeadlines } from './deadlines.ts'
import { createPace, type PaceOptions } from './pace.ts'
import { setPatientTimeout } from './patient-timeout.ts'
import { createProbe, type Finding } from './probe.ts'
import { settleBy, type RecoveryStep } from './recovery.ts'

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
  onRecovery(step: RecoveryStep): void
  /** Tells of every change of the circuit; gives a function that stops it. */
  watch(listener: (circuit: Circuit) => void): () => void
  /** Resolves once the primary is known to be there or not. */
  settled(): Promise<void>
  close(): void
}

export interface AvailabilityOptions extends PaceOptions {
  readonly backend: Backend
  readonly prefix: string
  readonly operationTimeout: Milliseconds
  readonly tripAfter: number
  readonly recoveryJitter: Milliseconds
  readonly onTransition: (from: State, to: State, circuit: Circuit) => void
  /** An answer was not ours, and the connection has been dropped. */
  readonly onForeignReply: () => void
}

/** How long a connection may take, where that is no outage yet, before the process goes on without it. */
const connectPatience = 1_000
/** A connection that no call has used for so long may be closed by the server, or by what lies between. */
const idleAfter = 1_000
/** Probes that may stay unanswered before the connection is dropped: a dead peer never says that it is gone. */
const silentProbes = 3
/** After so long, what was connected may be dead; on a busy machine a process stands still for less. */
const longStandstill = 5_000

/** Creates the availability of one backend. */
export function createAvailability(options: AvailabilityOptions): Availability {
  const { backend, clock, random, tripAfter } = options
  const deadlines = createDeadlines({ timeout: options.operationTimeout, clock })
  const calls = createCalls(deadlines)
  const probe = createProbe(backend, options.prefix)
  const pace = createPace(options)
  const awakening = createAwakening(clock, options.operationTimeout)
  const steps: RecoveryStep[] = []
  const watchers = new Set<(circuit: Circuit) => void>()

  let circuit: Circuit = starting
  let state: State = 'recovering'
  let known = Promise.withResolvers<void>()
  /** The probe is answered and settling is not: one outage still, however often that is tried. */
  let isUnsettled = false
  let unanswered = 0
  let timer: Timer | undefined
  let probing = false
  let isClosed = false
  let unwatch: (() => void) | undefined

  function move(next: Circuit): void {
    if (next === circuit || isClosed) return
    const before = circuit
    const from = state
    circuit = next
    if (isComing(next)) known = Promise.withResolvers()
    else known.resolve()
    if (isOutage(next) && !isOutage(before)) {
      pace.begin()
      if (!probing) scheduleProbe()
    }
    if (next.at === 'closed' && isOutage(before)) {
      pace.end()
      awakening.expect(Infinity)
      awakening.end()
    }
    state = next.at === 'half-open' && isUnsettled ? 'degraded' : stateOf(next)
    if (from !== state) options.onTransition(from, state, next)
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

  /** Whether calls wait for a probe, as this process stood still; begins it where that turns out now. */
  function isWaking(): boolean {
    if (wake()) void runProbe()
    return awakening.current() !== undefined
  }

  /** Gives whether it turns out now that this process stood still. */
  function wake(): boolean {
    const stoodStill = !isClosed && isOutage(circuit) ? awakening.notice() : 0
    // The connection may have died unheard: one silent probe is enough to drop it.
    if (stoodStill >= longStandstill) unanswered = silentProbes - 1
    return stoodStill > 0
  }

  /** A call waits for a connection that is about to come, or for the first probe after a standstill, within its deadline. */
  function gated<T>(access: Access, operation: () => Promise<T>): () => Promise<T> {
    if (circuit.at === 'closed') return operation
    const coming = awakening.current() ?? (isComing(circuit) ? known.promise : undefined)
    if (!coming) return operation
    return async () => {
      await coming
      if (!allows(circuit, access)) throw offline
      return operation()
    }
  }

  function scheduleProbe(): void {
    timer?.cancel()
    if (isClosed) return
    const pause = pace.next(circuit.at === 'open' ? circuit.fault : undefined)
    awakening.expect(pause)
    timer = clock.setTimeout(() => void runProbe(), pause)
  }

  async function runProbe(): Promise<void> {
    wake()
    if (probing || isClosed || circuit.at === 'closed') return
    probing = true
    timer?.cancel()
    awakening.expect(options.operationTimeout)
    const finding = await probe((operation) => calls.send(operation, asIs, throwFault))
    if (!isClosed) {
      noteSilence(finding)
      if (finding.writes) await recover()
      else heed(finding)
    }
    probing = false
    if (circuit.at === 'open') scheduleProbe()
  }

  function heed(finding: Finding): void {
    isUnsettled = false
    if (finding.fault?.code === 'DEADLINE') awakening.end()
    if (finding.fault?.kind === 'integrity') drop()
    move(afterProbe(circuit, finding))
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
      if (!awakening.current()) await pause(options.recoveryJitter * random())
      wake()
    }
    awakening.expect(Infinity)
    const fault = await settleBy(steps, calls, () => circuit.at === 'open')
    if (circuit.at === 'open') return
    isUnsettled = fault !== undefined
    move(fault ? open(fault) : closed)
  }

  function pause(ms: Milliseconds): Promise<void> {
    awakening.expect(ms)
    return new Promise((resolve) => clock.setTimeout(resolve, ms))
  }

  function onConnection(change: ConnectionChange): void {
    if (isClosed) return
    if (change.status === 'ready') {
      wake()
      unanswered = 0
      return void runProbe()
    }
    const fault = faultOfLoss(change.cause)
    const isIdle = circuit.at === 'closed' && deadlines.idleFor() >= idleAfter
    if (!isIdle || fault.kind !== 'unavailable') return fail(fault, true)
    move(reconnecting)
    awaitConnection()
  }

  /** Gives the next connection its time; when it fails, that is told at once. */
  function awaitConnection(): void {
    timer?.cancel()
    timer = setPatientTimeout(clock, () => isComing(circuit) && fail(deadlineFault, true), connectPatience)
  }

  // A turn later, so that whoever creates this has it in hand before the first transition.
  soon(() => {
    if (isClosed) return
    if (!backend.watch) return void runProbe()
    awaitConnection()
    unwatch = backend.watch(onConnection)
  })

  return {
    state: () => state,
    circuit: () => circuit,
    allows: (access) => allows(circuit, access) || isWaking(),
    call: (access, operation) => calls.send(gated(access, operation), succeeded, failed, watcher),
    ask: (access, operation, onValue, onFault) =>
      calls.send(gated(access, operation), onValue, onFault, watcher),
    reportForeignReply: () => fail(foreignReplyFault, true),
    onRecovery: (step) => void steps.push(step),
    watch(listener) {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
    settled: () => known.promise,
    close() {
      isClosed = true
      circuit = open(closedFault)
      state = stateOf(circuit)
      timer?.cancel()
      unwatch?.()
      known.resolve()
      awakening.end()
      deadlines.expireAll()
    },
  }
}

/** Given to calls that waited for a start that did not come; the circuit is open by then and counts nothing. */
const offline = Object.assign(new Error('The primary is not available.'), { code: 'OFFLINE' })
