import type { Availability } from '../availability/availability.ts'
import type { Backend } from '../backend/backend.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import type { Events } from '../events.ts'
import type { Milliseconds } from '../units.ts'
import type { Funnel } from './funnel.ts'
import type { Knowledge } from './knowledge.ts'
import type { Found, Reading } from './reading.ts'
import type { Rule } from './rules.ts'

/** Makes readings of what the primary answered, and of what this process knows. */
export interface Reader {
  fromPrimary(wireKey: string, bytes: Uint8Array | undefined): Reading | Promise<Reading>
  fromMemory(wireKey: string): Reading
  /** What is there cannot be used: a miss, and an event. */
  unreadable(reason: string): Reading
}

export function createReader(options: {
  readonly concern: string
  readonly rule: Rule
  readonly backend: Backend
  readonly availability: Availability
  readonly envelopes: Envelopes
  readonly knowledge: Knowledge
  readonly events: Events
  readonly ask: Funnel
  readonly mirrors: boolean
  readonly ttlOf: (value: unknown) => Milliseconds
  readonly accepts: (value: unknown) => boolean
}): Reader {
  const { concern, rule, backend, availability, envelopes, knowledge, events, ask, mirrors } = options

  function fromPrimary(wireKey: string, bytes: Uint8Array | undefined): Reading | Promise<Reading> {
    if (bytes === undefined) return missing(wireKey)
    const opened = envelopes.open(wireKey, bytes)
    if (opened.status === 'opened' && (opened.bound || !backend.getBound))
      return found(wireKey, bytes, opened)
    // What does not prove to belong to the key may be the answer to another question: ask in a way that tells.
    if (backend.getBound) return confirm(wireKey, opened.status === 'foreign')
    return unreadable(opened.status === 'unreadable' ? opened.reason : anotherKeys)
  }

  /** Asks once more, so that the answer proves to be ours; on a connection whose answers have shifted it does not. */
  function confirm(wireKey: string, wasForeign: boolean): Promise<Reading> {
    return ask('read', {
      primary: () => backend.getBound!(wireKey),
      answered(bytes): Reading {
        if (bytes === undefined) return missing(wireKey)
        const opened = envelopes.open(wireKey, bytes)
        if (opened.status !== 'opened') {
          return unreadable(opened.status === 'foreign' ? anotherKeys : opened.reason)
        }
        // This one is ours, so the first was not.
        if (wasForeign) availability.reportForeignReply()
        return found(wireKey, bytes, opened)
      },
      degraded: () => fromMemory(wireKey),
      rejected: (fault) => unreadable(fault.code),
    })
  }

  function found(
    wireKey: string,
    bytes: Uint8Array,
    opened: Pick<Found, 'value' | 'revision' | 'stamp' | 'endsAt'>,
  ): Reading {
    const { value, revision, stamp, endsAt } = opened
    if (!options.accepts(value)) return unreadable('not of this kind')
    if (mirrors) knowledge.remember(wireKey, bytes, options.ttlOf(value))
    return { status: 'found', value, bytes, revision, stamp, endsAt, origin: 'primary' }
  }

  function missing(wireKey: string): Reading {
    if (!mirrors) return { status: 'missing', origin: 'primary' }
    const known = knowledge.read(wireKey)
    if (known.status !== 'found') return { status: 'missing', origin: 'primary' }
    knowledge.forget(wireKey)
    return { status: 'missing', origin: 'primary', copy: known }
  }

  function fromMemory(wireKey: string): Reading {
    return rule.read === 'unknown' ? { status: 'unknown' } : knowledge.read(wireKey)
  }

  function unreadable(reason: string): Reading {
    events.emit('entry', { concern, problem: 'unreadable', reason })
    return { status: 'missing', origin: 'primary' }
  }

  return { fromPrimary, fromMemory, unreadable }
}

/** Somebody copied the entry from where it belongs. */
const anotherKeys = 'entry of another key'
