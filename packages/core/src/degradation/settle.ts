import type { Answer } from '../availability/calls.ts'
import type { Fault } from '../availability/classify.ts'
import { versionOf, type Backend, type SetOptions, type SetOutcome } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import type { Events } from '../events.ts'
import type { Milliseconds } from '../units.ts'
import type { Epoch } from './epoch.ts'
import type { Base, Decision, Journal } from './journal.ts'
import type { Knowledge } from './knowledge.ts'

/** Completes an entry that was written without knowing what the primary holds. */
export type Reconcile = (mine: unknown, theirs: unknown) => unknown

interface Settle {
  readonly concern: string
  readonly backend: Backend
  readonly journal: Journal
  readonly envelopes: Envelopes
  readonly knowledge: Knowledge
  readonly epoch: Epoch
  readonly events: Events
  readonly clock: Clock
  readonly reconcile: Reconcile
  readonly revise: (after: number) => number
  readonly call: <T>(operation: () => Promise<T>) => Promise<Answer<T>>
}

type SetDecision = Extract<Decision, { kind: 'set' }>
type Verdict = 'applied' | 'superseded'
type Settled = Verdict | Fault

/** How many decisions travel at once. */
const together = 64
/** How often a decision may meet something new in the primary before it is left for the next round. */
const maxConflicts = 4

/**
 * Brings the decisions of an outage to the primary: removals always, writes unless the primary has a newer entry.
 * Gives the fault that stopped it; what was not settled stays in the journal.
 */
export async function settleJournal(settle: Settle): Promise<Fault | undefined> {
  const { journal, events, concern, epoch } = settle
  const count = { applied: 0, superseded: 0 }
  let fault: Fault | undefined
  while (!fault && journal.size > 0) {
    const batch = journal.entries().slice(0, together)
    await Promise.all(
      batch.map(async ([wireKey, decision]) => {
        const outcome = await settleOne(settle, wireKey, decision)
        if (typeof outcome === 'object' && outcome.kind !== 'rejected') {
          fault ??= outcome
          return
        }
        journal.settle(wireKey, decision)
        count[outcome === 'applied' ? 'applied' : 'superseded']++
      }),
    )
  }
  if (count.applied + count.superseded > 0) {
    events.emit('settled', { concern, ...count, dataLost: epoch.dataLost })
  }
  return fault
}

async function settleOne(settle: Settle, wireKey: string, decision: Decision): Promise<Settled> {
  const { backend, clock } = settle
  switch (decision.kind) {
    case 'delete':
      return faultOr(await settle.call(() => backend.delete(wireKey)), 'applied')
    case 'touch': {
      const ttl = decision.expiresAt - clock.now()
      return ttl > 0 ? faultOr(await settle.call(() => backend.touch(wireKey, ttl)), 'applied') : 'superseded'
    }
    case 'set':
      return settleSet(settle, wireKey, decision)
  }
}

async function settleSet(settle: Settle, wireKey: string, decision: SetDecision): Promise<Settled> {
  const { backend, clock } = settle
  let { bytes, base } = decision
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    const ttl = decision.expiresAt - clock.now()
    if (ttl <= 0) return 'superseded'
    const answer = await settle.call(() => backend.set(wireKey, bytes, conditional(base, ttl)))
    if (!answer.ok) return answer.fault
    if (answer.value.written) {
      if (bytes !== decision.bytes) settle.knowledge.keep(wireKey, bytes, finite(ttl))
      return 'applied'
    }
    const next = afterConflict(settle, wireKey, decision, answer.value)
    if (typeof next === 'string') return next
    bytes = next.bytes
    base = next.base
  }
  return 'superseded'
}

/** What stands in the primary is not what the decision was based on: who gives way? */
function afterConflict(
  { envelopes, epoch, reconcile, revise, knowledge, clock }: Settle,
  wireKey: string,
  decision: SetDecision,
  { current }: SetOutcome & { written: false },
): Verdict | { bytes: Uint8Array; base: Base } {
  if (current === undefined) {
    // The entry was there when this process knew it last. It was ended elsewhere, or the primary lost its data.
    if (epoch.dataLost) return { bytes: decision.bytes, base: 'absent' }
    knowledge.markRemoved(wireKey)
    return 'superseded'
  }
  const version = versionOf(current)
  if (version === versionOf(decision.bytes)) return 'applied'
  if (decision.attempts.includes(version)) return { bytes: decision.bytes, base: version }

  const mine = envelopes.open(wireKey, decision.bytes)
  const theirs = envelopes.open(wireKey, current)
  if (theirs.status !== 'opened' || mine.status !== 'opened') return { bytes: decision.bytes, base: version }
  if (decision.base === 'unknown') {
    const value = reconcile(mine.value, theirs.value)
    const bytes = envelopes.seal(wireKey, value, { revision: revise(theirs.revision), endsAt: theirs.endsAt })
    return { bytes, base: version }
  }
  if (mine.revision > theirs.revision && theirs.revision > 0) return { bytes: decision.bytes, base: version }
  knowledge.keep(wireKey, current, finite(decision.expiresAt - clock.now()))
  return 'superseded'
}

/** Whatever a decision was based on, it never overwrites unseen: the first try shows what is there. */
function conditional(base: Base, ttl: Milliseconds): SetOptions {
  const expiry = finite(ttl) === undefined ? undefined : { ttl }
  const named = base === 'any' || base === 'absent' || base === 'unknown'
  return named ? { ...expiry, ifAbsent: true } : { ...expiry, ifVersion: base }
}

function finite(ttl: Milliseconds): Milliseconds | undefined {
  return ttl === Infinity ? undefined : ttl
}

function faultOr<T>(answer: Answer<T>, otherwise: 'applied'): Settled {
  return answer.ok ? otherwise : answer.fault
}
