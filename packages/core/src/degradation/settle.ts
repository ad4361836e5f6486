import type { Answer } from '../availability/calls.ts'
import type { Fault } from '../availability/classify.ts'
import { versionOf, type Backend, type SetOptions, type SetOutcome } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import type { Events } from '../events.ts'
import type { Milliseconds } from '../units.ts'
import type { Epoch } from './epoch.ts'
import { inBatches } from './in-batches.ts'
import type { Base, Decision, Journal } from './journal.ts'
import type { Knowledge } from './knowledge.ts'
import type { Since } from './reading.ts'
import { blindRevision, revisionAfter } from './revision.ts'

/** A value and when it was written. */
export interface Revised {
  readonly value: unknown
  /** 0: unknown. */
  readonly revision: number
  /** Where it is more than the primary had: how far it is from that. */
  readonly since?: Since | undefined
}

/** Two values of one entry, and what the first of them was made of, where that is known. */
export interface Divergence {
  readonly base: Revised | undefined
  readonly mine: Revised
  readonly theirs: Revised
}

/** Makes one value of two. */
export type Reconcile = (divergence: Divergence) => unknown

interface Settle {
  readonly concern: string
  readonly backend: Backend
  readonly journal: Journal
  readonly envelopes: Envelopes
  readonly knowledge: Knowledge
  readonly epoch: Epoch
  readonly events: Events
  readonly clock: Clock
  /** Left out: of two values the later one stays. */
  readonly reconcile?: Reconcile | undefined
  /** Whether somebody ended what the entry stands for: then no write brings it back. */
  readonly isEnded: (wireKey: string, entry: { readonly value: unknown; readonly stamp: number }) => boolean
  readonly call: <T>(operation: () => Promise<T>) => Promise<Answer<T>>
}

type SetDecision = Extract<Decision, { kind: 'set' }>
type Verdict = 'applied' | 'superseded'
/** What became of a decision: it is there, it gave way, it has to be tried again; or the fault that stopped it. */
type Settled = Verdict | 'contended' | Fault

/** How often a decision may meet something new in the primary before it is left for the next round. */
const maxConflicts = 4

/**
 * Brings what has been decided by now to the primary: removals always, writes unless the primary has a newer entry. Gives the
 * fault that stopped it; what was not settled stays in the journal. So does what is decided meanwhile: whoever writes all the
 * time would keep the primary away for good.
 */
export async function settleJournal(settle: Settle): Promise<Fault | undefined> {
  const { journal, events, concern, epoch } = settle
  const count = { applied: 0, superseded: 0 }
  const fault = await inBatches(journal.wireKeys(), settle.clock, async (wireKey) => {
    const decision = journal.get(wireKey)
    if (!decision) return undefined
    const outcome = await settleOne(settle, wireKey, decision)
    if (outcome === 'contended') return undefined
    if (typeof outcome === 'object' && outcome.kind !== 'rejected') return outcome
    journal.settle(wireKey, decision)
    count[outcome === 'applied' ? 'applied' : 'superseded']++
    return undefined
  })
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
  const mine = settle.envelopes.open(wireKey, decision.bytes)
  if (mine.status === 'opened' && settle.isEnded(wireKey, mine)) {
    settle.knowledge.markRemoved(wireKey)
    return 'superseded'
  }
  let { base } = decision
  let bytes =
    isBlind(settle, wireKey, base) && mine.status === 'opened' ? blind(settle, wireKey, mine) : decision.bytes
  for (let conflicts = 0; conflicts < maxConflicts; conflicts++) {
    const ttl = decision.expiresAt - clock.now()
    if (ttl <= 0) return 'superseded'
    const answer = await settle.call(() => backend.set(wireKey, bytes, conditional(base, ttl)))
    if (!answer.ok) return answer.fault
    if (answer.value.written) {
      if (bytes !== decision.bytes) settle.knowledge.keep(wireKey, bytes, finite(ttl))
      return 'applied'
    }
    // Overruled meanwhile.
    if (settle.journal.get(wireKey) !== decision) return 'contended'
    const next = afterConflict(settle, wireKey, decision, answer.value)
    if (typeof next === 'string') return next
    bytes = next.bytes
    base = next.base
  }
  return 'contended'
}

/** What stands in the primary is not what the decision was based on: who gives way? */
function afterConflict(
  settle: Settle,
  wireKey: string,
  decision: SetDecision,
  { current }: SetOutcome & { written: false },
): Verdict | { bytes: Uint8Array; base: Base } {
  const { envelopes, knowledge, reconcile } = settle
  if (current === undefined) {
    // The entry was there when this process knew it last. It was ended elsewhere, or the primary lost its data.
    // (What this process has of it stays in memory: who proves that it was not ended may have it back.)
    if (settle.epoch.dataLost) return { bytes: decision.bytes, base: 'absent' }
    return 'superseded'
  }
  if (Buffer.compare(current, decision.bytes) === 0) return 'applied'
  const over = { base: { bytes: current, isAssumed: false } }
  if (decision.attempts.includes(versionOf(current))) return { bytes: decision.bytes, ...over }

  const mine = envelopes.open(wireKey, decision.bytes)
  const theirs = envelopes.open(wireKey, current)
  if (theirs.status !== 'opened' || mine.status !== 'opened') return { bytes: decision.bytes, ...over }
  if (reconcile) {
    const stamp = Math.max(mine.stamp, theirs.stamp)
    const { endsAt } = mine.stamp > theirs.stamp ? mine : theirs
    const value = reconcile({ base: baseValue(settle, wireKey, decision.base), mine, theirs })
    const revision = revisionAfter(mine.revision, theirs.revision)
    return { bytes: envelopes.seal(wireKey, value, { revision, stamp, endsAt }), ...over }
  }
  if (mine.revision > theirs.revision && theirs.revision > 0) return { bytes: decision.bytes, ...over }
  knowledge.keep(wireKey, current, finite(decision.expiresAt - settle.clock.now()))
  return 'superseded'
}

/** Whether a write was made of nothing that anybody knew. Where there is nothing, it must not pass for the whole. */
function isBlind(settle: Settle, wireKey: string, base: Base): boolean {
  const made = baseValue(settle, wireKey, base)
  return made?.revision === 0 && Object.keys(Object(made.value) as object).length === 0
}

function blind(
  { envelopes }: Settle,
  wireKey: string,
  mine: Revised & { stamp: number; endsAt: number },
): Uint8Array {
  return envelopes.seal(wireKey, mine.value, { ...mine, revision: blindRevision })
}

function baseValue({ envelopes }: Settle, wireKey: string, base: Base): Revised | undefined {
  if (typeof base === 'string') return undefined
  const opened = envelopes.open(wireKey, base.bytes)
  return opened.status === 'opened' ? { ...opened, since: base.since } : undefined
}

/** Whatever a decision was based on, it never overwrites unseen: the first try shows what is there. */
function conditional(base: Base, ttl: Milliseconds): SetOptions {
  const expiry = finite(ttl) === undefined ? undefined : { ttl }
  const isNamed = typeof base === 'string' || base.isAssumed
  return isNamed ? { ...expiry, ifAbsent: true } : { ...expiry, ifVersion: versionOf(base.bytes) }
}

function finite(ttl: Milliseconds): Milliseconds | undefined {
  return ttl === Infinity ? undefined : ttl
}

function faultOr<T>(answer: Answer<T>, otherwise: 'applied'): Settled {
  return answer.ok ? otherwise : answer.fault
}
