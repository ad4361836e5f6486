import type { State } from '../events.ts'
import { lostFault, type Fault } from './classify.ts'
import type { Finding } from './probe.ts'

/** What a call wants of the primary. */
export type Access = 'read' | 'write'
/** What a fault takes away. */
export type Scope = 'everything' | 'writes'

/**
 * The breaker, as a value.
 *
 * - `starting`: nothing is known yet; the first calls wait for the connection, within their deadline.
 * - `closed`: calls reach the primary; `failures` counts those in a row that left room for doubt.
 * - `open`: calls in its scope are answered without the primary; a probe asks whether it is back.
 * - `reconnecting`: the connection was closed while nobody used it, which is no outage where the next one comes at once;
 *   calls wait for it, within their deadline.
 * - `half-open`: the probe succeeded; what was decided meanwhile is settled before calls get through again.
 */
export type Circuit =
  | { readonly at: 'starting' | 'reconnecting' }
  | { readonly at: 'closed'; readonly failures: number }
  | { readonly at: 'open' | 'half-open'; readonly scope: Scope; readonly fault: Fault }

export const starting: Circuit = { at: 'starting' }
export const reconnecting: Circuit = { at: 'reconnecting' }
export const closed: Circuit = { at: 'closed', failures: 0 }

/** Whether a call may go to the primary. */
export function allows(circuit: Circuit, access: Access): boolean {
  switch (circuit.at) {
    case 'closed':
    case 'starting':
    case 'reconnecting':
      return true
    case 'open':
    case 'half-open':
      return circuit.scope === 'writes' && access === 'read'
  }
}

/**
 * The circuit after a failure. It trips at once on a fault that is certain, or when `silent` (nothing at all was heard
 * while the call waited), otherwise on the failure that makes `tripAfter` in a row. It never trips on `rejected`.
 */
export function afterFailure(
  circuit: Circuit,
  fault: Fault,
  { silent, tripAfter }: { silent: boolean; tripAfter: number },
): Circuit {
  if (fault.kind === 'rejected') return circuit
  switch (circuit.at) {
    case 'starting':
    case 'reconnecting':
      return open(fault)
    case 'closed':
      return fault.definite || silent || circuit.failures + 1 >= tripAfter
        ? open(fault)
        : { at: 'closed', failures: circuit.failures + 1 }
    case 'open':
    case 'half-open':
      // A refused write says nothing about reads that already degrade, but a lost connection says all about both.
      if (circuit.at === 'half-open' || circuit.scope === 'writes') return open(fault)
      return tellsMore(fault, circuit.fault) ? { ...circuit, fault } : circuit
  }
}

/**
 * The circuit after a probe that found something not served. Reads that came back go to the primary at once; writes stay
 * with the journal until they can be settled.
 */
export function afterProbe(circuit: Circuit, { reads, fault = lostFault }: Finding): Circuit {
  const scope = reads ? 'writes' : 'everything'
  if (circuit.at === 'open' && circuit.scope === scope && !tellsMore(fault, circuit.fault)) return circuit
  return circuit.at === 'half-open' ? circuit : { at: 'open', scope, fault }
}

/** What the circuit means to those who watch from outside. */
export function stateOf({ at }: Circuit): State {
  switch (at) {
    case 'closed':
    case 'reconnecting':
      return 'healthy'
    case 'open':
      return 'degraded'
    case 'starting':
    case 'half-open':
      return 'recovering'
  }
}

/** Whether a connection is awaited without an outage; the calls that come meanwhile wait with it. */
export function isComing({ at }: Circuit): boolean {
  return at === 'starting' || at === 'reconnecting'
}

/** Whether the primary is away, or not trusted again yet: the whole of it is one outage. */
export function isOutage({ at }: Circuit): boolean {
  return at === 'open' || at === 'half-open'
}

/** The circuit that a fault opens. */
export function open(fault: Fault): Circuit {
  return { at: 'open', scope: fault.kind === 'writes-unavailable' ? 'writes' : 'everything', fault }
}

/** The cause of an outage often shows only when reconnecting fails: as a bad password, an unknown host. */
function tellsMore(fault: Fault, known: Fault): boolean {
  if (fault.kind === 'misconfigured') return known.kind !== 'misconfigured'
  return known.code === 'CONNECTION_LOST' && fault.kind === 'unavailable' && !vague.has(fault.code)
}

const vague: ReadonlySet<string> = new Set(['CONNECTION_LOST', 'DEADLINE', 'OFFLINE'])
