import { createCalls, failed, succeeded, type Answer } from '../availability/calls.ts'
import type { Availability } from '../availability/availability.ts'
import type { Fault } from '../availability/classify.ts'
import type { Circuit } from '../availability/circuit.ts'
import { createDeadlines } from '../availability/deadlines.ts'
import type { Backend, ExpiringSets, Member, Subscription } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'
import { createComparing } from './comparing.ts'
import { fromMessage, together, toMessage } from './endings-message.ts'
import { createMarks, type Ending, type Marks } from './marks.ts'

/** The endings of a fleet's sessions: known to this process in memory, and told to all the others. */
export interface Endings extends Omit<Marks, 'mark' | 'learn' | 'join' | 'isFirst'> {
  /**
   * Marks an ending in this process at once, and gives `through` what asks the primary to mark it too, to tell it, and to remove
   * the session's record in the same step. Tells whether the primary did; where it did not, it is asked again until it has.
   */
  end(ending: Ending, through: (tell: Tell) => Promise<unknown>): Promise<boolean>
  /** The primary's sets, as long as it lets us use them. */
  sets(): ExpiringSets | undefined
  /** Whether endings in other processes are heard of as they happen. */
  isHearing(): boolean
  /**
   * Whether all endings since a time are known. Where the primary has lost them, those who knew them are given time to tell.
   */
  isComplete(since: number): Promise<boolean>
  /**
   * Learns what the primary knows by now; tells whether it could be asked. Nothing that was heard proves that all was: the line
   * may be half dead, and who ended a session may not have reached the primary yet.
   */
  isInStep(): Promise<boolean>
  close(): void
}

/** Asks the primary to mark an ending; the record of the wire key goes with it. */
export type Tell = (wireKey?: string) => Promise<void>

export interface EndingsOptions {
  readonly backend: Backend
  readonly availability: Availability
  readonly clock: Clock
  /** The set's key in the primary, and the channel's name. */
  readonly name: string
  readonly maxMarks?: number
  readonly warn: (message: string) => void
}

/** How many marks are kept: beyond, tokens issued before the oldest one are refused. */
const defaultMarks = 100_000
const page = 5_000
/** By then processes that know more than the primary have told it. */
const answerTime: Milliseconds = 150
/** How long a call may take where recovery has not told. */
const patience: Milliseconds = 1_000

type Call = <T>(operation: () => Promise<T>) => Promise<Answer<T>>

/**
 * Keeps endings in one set of the primary, in memory, and in step by publishing. After each reconnect and each gap in what was
 * heard both sides are compared, so that marks which a failover or a loss of data took from the primary are put back before
 * it is trusted; and now and then, as one shard of a Cluster can fail over, or a set be evicted, without either. Registers its
 * recovery step, which has to run before the journals'.
 */
export function createEndings({
  backend,
  availability,
  clock,
  name,
  maxMarks = defaultMarks,
  warn,
}: EndingsOptions): Endings {
  /** Not used any more once the primary has refused it, as for want of permission. */
  let { sets } = backend
  const marks = createMarks({ now: clock.now, max: maxMarks })
  let subscription: Promise<Subscription | undefined> | undefined
  /** One that was had and lost is opened again by itself. */
  let isSubscribed = false
  let isListening = false
  let losses = 0
  /** And knows what was told before. */
  let isHearing = false
  /** Until when what was heard is all there was: a process that was stopped does not know how long it heard nothing. */
  let heardUntil = Infinity
  /** Ends when all who know more than the primary have had their time. */
  let answers: Promise<void> | undefined
  /** Opens no circuit: a shard that hangs must not take the others away for what nobody waits for. As recovery does it, once there was one. */
  let send = callsOf(clock)
  let unwatch: (() => void) | undefined
  const comparing = createComparing({ clock, compare: compareNow, isPossible })

  function add(members: readonly Member[], wireKey?: string): Promise<void> {
    const also = wireKey === undefined ? undefined : { delete: wireKey }
    return sets!.add(name, members, { ...also, publish: { channel: name, message: toMessage(members) } })
  }

  function hear(message: Uint8Array): void {
    let knowsMore = false
    for (const member of fromMessage(message)) knowsMore = marks.learn(member) || knowsMore
    if (knowsMore) comparing.soon(0)
  }

  /**
   * Listens anew, so that nothing is missed from here on, and resolves once it does. Without a subscription endings are
   * heard when the sides are compared; sessions work all the same.
   */
  async function listen(): Promise<void> {
    const before = subscription
    const opened = backend.subscribe(
      name,
      // One of its own for each subscription, as the one before is closed.
      (message) => hear(message),
      {
        onGap() {
          isListening = true
          comparing.soon()
        },
        onLost() {
          losses++
          isListening = isHearing = false
        },
        onProved: (holdsFor) => void (heardUntil = clock.now() + holdsFor),
      },
    )
    isSubscribed = true
    subscription = opened.catch(() => void (isSubscribed = false))
    await opened
    isListening = true
    await (await before)?.close()
  }

  /** First the ear, then the look: what is published in between is heard. An ear that comes late takes another look. */
  async function hearBy(call: Call): Promise<void> {
    const listening = listen()
    const heard = await call(() => listening)
    if (!heard.ok) listening.then(() => comparing.soon(), ignore)
  }

  /**
   * Gives how many marks the primary holds, and puts back what it lacks. While it takes no writes nobody can put any back: then
   * what it lacks says nothing.
   */
  async function compare(call: Call, isWritable: boolean): Promise<Answer<number>> {
    const theirs = new Map<string, number>()
    const lossesBefore = losses
    const heardBefore = isListening
    for (let from = clock.now(); ;) {
      const answer = await call(() => sets!.members(name, { from, limit: page }))
      if (!answer.ok) return answer
      for (const [member, expiresAt] of answer.value) theirs.set(member, expiresAt)
      const last = answer.value.at(-1)
      if (answer.value.length < page || !last || last[1] === from) break
      from = last[1]
    }
    if (isWritable) {
      const fault = await putBack(call, marks.join(theirs))
      if (fault) return failed(fault)
    } else for (const member of theirs) marks.learn(member)
    isHearing = heardBefore && losses === lossesBefore
    return succeeded(theirs.size)
  }

  async function putBack(call: Call, missing: readonly Member[]): Promise<Fault | undefined> {
    for (let start = 0; start < missing.length; start += together) {
      const answer = await call(() => add(missing.slice(start, start + together)))
      if (!answer.ok) return answer.fault
    }
    if (marks.isFirst()) answers ??= new Promise((resolve) => clock.setTimeout(resolve, answerTime))
    return undefined
  }

  function isPossible(): boolean {
    const circuit = availability.circuit()
    return sets !== undefined && (circuit.at === 'closed' || isReadOnly(circuit))
  }

  async function compareNow(): Promise<number | undefined> {
    if (!isPossible()) return undefined
    // What is heard from then on is compared then.
    if (!isSubscribed) listen().then(() => comparing.soon(), ignore)
    const answer = await compare(send, availability.allows('write'))
    return answer.ok ? answer.value : undefined
  }

  if (sets) {
    availability.onRecovery(async ({ call }) => {
      send = call
      await hearBy(call)
      const compared = sets && (await compare(call, true))
      const fault = compared?.ok === false ? compared.fault : undefined
      if (fault?.kind !== 'rejected' && fault?.kind !== 'misconfigured') return fault
      // The probe has been answered, so it is these commands alone that are refused: that must not keep the primary away.
      sets = undefined
      warn(
        `holdfast: Redis refuses what ended sessions are shared by (${fault.code}); other processes hear of them only by their absence. ` +
          'Allow sorted sets, EVALSHA and PUBLISH on the keys and channels of the prefix.',
      )
      return undefined
    })
    // Recovery needs writes; what others ended can be heard of without.
    availability.watch((circuit) => isReadOnly(circuit) && comparing.soon())
    // It was ready all the time: one of several servers is another one, and may lack what the one before had.
    unwatch = backend.watch?.(({ status }) => status === 'ready' && isPossible() && comparing.soon())
  }

  return {
    since: marks.since,
    isEmpty: marks.isEmpty,
    sets: () => sets,
    isEnded: marks.isEnded,
    isUserEnded: marks.isUserEnded,
    userEndedBefore: marks.userEndedBefore,
    async end(ending, through) {
      const member = marks.mark(ending)
      let isTold = false
      try {
        await through(async (wireKey) => {
          if (sets) await add([member], wireKey)
          else if (wireKey !== undefined) await backend.delete(wireKey)
          isTold = true
        })
      } finally {
        if (!isTold) comparing.soon()
      }
      return isTold
    },
    isHearing: () => (sets ? isHearing && clock.now() <= heardUntil : !backend.capabilities.shared),
    async isComplete(since) {
      if (since < marks.since()) await answers
      return since >= marks.since()
    },
    async isInStep() {
      if (!sets) return true
      const answer = await send(comparing.fresh)
      return answer.ok && answer.value
    },
    close() {
      comparing.close()
      unwatch?.()
    },
  }
}

function callsOf(clock: Clock): Call {
  const calls = createCalls(createDeadlines({ timeout: patience, clock }))
  return (operation) => calls.send(operation, succeeded, failed)
}

function isReadOnly(circuit: Circuit): boolean {
  return circuit.at === 'open' && circuit.scope === 'writes'
}

function ignore(): void {}
