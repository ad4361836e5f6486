import type { Answer } from '../availability/calls.ts'
import type { Fault } from '../availability/classify.ts'
import type { Availability } from '../availability/availability.ts'
import type { Backend, ExpiringSets, Member, Subscription } from '../backend/backend.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Milliseconds } from '../units.ts'
import { createMarks, type Ending, type Marks } from './marks.ts'

/** The endings of a fleet's sessions: known to this process in memory, and told to all the others. */
export interface Endings extends Omit<Marks, 'mark' | 'learn' | 'join' | 'isFirst'> {
  /** Marks an ending in this process at once. */
  mark(ending: Ending): void
  /** Asks the primary to mark an ending, to tell it, and to remove the session's record in the same step. */
  tell(ending: Ending, wireKey?: string): Promise<void>
  /** The primary's sets, as long as it lets us use them. */
  sets(): ExpiringSets | undefined
  /** Whether endings in other processes are heard of as they happen. */
  isHearing(): boolean
  /**
   * Whether all endings since a time are known. Where the primary has lost them, those who knew them are given time to tell.
   */
  isComplete(since: number): Promise<boolean>
  /** Something hints that marks are missing here or in the primary: compares soon. */
  compareSoon(): void
  close(): void
}

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
const together = 500
const soon: Milliseconds = 50
/** By then processes that know more than the primary have told it. */
const answerTime: Milliseconds = 150
/** How often the marks are compared where nothing hints at a gap: finds a set that was evicted or flushed. */
const regularly: Milliseconds = 300_000

type Call = <T>(operation: () => Promise<T>) => Promise<Answer<T>>

/**
 * Keeps endings in one set of the primary, in memory, and in step by publishing. After each reconnect and each gap in what was
 * heard both sides are compared, so that marks which a failover or a loss of data took from the primary are put back before
 * it is trusted. Registers its recovery step, which has to run before the journals'.
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
  let timer: Timer | undefined
  let isClosed = false
  let isListening = false
  let losses = 0
  /** And knows what was told before. */
  let isHearing = false
  /** Ends when all who know more than the primary have had their time. */
  let answers: Promise<void> | undefined

  function add(members: readonly Member[], wireKey?: string): Promise<void> {
    const also = wireKey === undefined ? undefined : { delete: wireKey }
    return sets!.add(name, members, { ...also, publish: { channel: name, message: toMessage(members) } })
  }

  function hear(message: Uint8Array): void {
    let knowsMore = false
    for (const member of fromMessage(message)) knowsMore = marks.learn(member) || knowsMore
    if (knowsMore) schedule(0)
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
      () => {
        isListening = true
        compareSoon()
      },
      () => {
        losses++
        isListening = isHearing = false
      },
    )
    subscription = opened.catch(() => undefined)
    await opened
    isListening = true
    await (await before)?.close()
  }

  async function compare(call: Call): Promise<Fault | undefined> {
    const theirs = new Map<string, number>()
    const lossesBefore = losses
    for (let from = clock.now(); ;) {
      const answer = await call(() => sets!.members(name, { from, limit: page }))
      if (!answer.ok) return answer.fault
      for (const [member, expiresAt] of answer.value) theirs.set(member, expiresAt)
      const last = answer.value.at(-1)
      if (answer.value.length < page || !last || last[1] === from) break
      from = last[1]
    }
    const missing = marks.join(theirs)
    for (let start = 0; start < missing.length; start += together) {
      const answer = await call(() => add(missing.slice(start, start + together)))
      if (!answer.ok) return answer.fault
    }
    if (marks.isFirst()) answers ??= new Promise((resolve) => clock.setTimeout(resolve, answerTime))
    isHearing = isListening && losses === lossesBefore
    return undefined
  }

  function schedule(delay: Milliseconds): void {
    timer?.cancel()
    if (isClosed) return
    timer = clock.setTimeout(() => void compareNow(), delay)
  }

  function compareSoon(): void {
    schedule(soon)
  }

  async function compareNow(): Promise<void> {
    if (availability.circuit().at === 'closed' && sets) {
      if (!(await subscription)) listen().catch(() => undefined)
      await compare((operation) => availability.call('write', operation))
    }
    schedule(regularly)
  }

  if (sets) {
    availability.onRecovery(async ({ call }) => {
      // First the ear, then the look: what is published in between is heard.
      const heard = await call(listen)
      if (!heard.ok) compareSoon()
      const fault = sets && (await compare(call))
      if (fault?.kind !== 'rejected' && fault?.kind !== 'misconfigured') return fault
      // The probe has been answered, so it is these commands alone that are refused: that must not keep the primary away.
      sets = undefined
      warn(
        `holdfast: Redis refuses what ended sessions are shared by (${fault.code}); other processes hear of them only by their absence. ` +
          'Allow sorted sets, EVALSHA and PUBLISH on the keys and channels of the prefix.',
      )
      return undefined
    })
    schedule(regularly)
  }

  return {
    since: marks.since,
    isEmpty: marks.isEmpty,
    sets: () => sets,
    isEnded: marks.isEnded,
    isUserEnded: marks.isUserEnded,
    userEndedBefore: marks.userEndedBefore,
    mark: (ending) => void marks.mark(ending),
    async tell(ending, wireKey) {
      const member = marks.mark(ending)
      try {
        if (sets) await add([member], wireKey)
        else if (wireKey !== undefined) await backend.delete(wireKey)
      } catch (error) {
        compareSoon()
        throw error
      }
    },
    isHearing: () => (sets ? isHearing : !backend.capabilities.shared),
    async isComplete(since) {
      if (since < marks.since()) await answers
      return since >= marks.since()
    },
    compareSoon,
    close() {
      isClosed = true
      timer?.cancel()
    },
  }
}

function toMessage(members: readonly Member[]): Uint8Array {
  return Buffer.from(members.map(([member, expiresAt]) => `${member} ${expiresAt}`).join('\n'))
}

/** Whoever may publish may write here; what is no mark is passed over. */
function fromMessage(message: Uint8Array): Member[] {
  return Buffer.from(message)
    .toString('latin1')
    .split('\n', together)
    .map((line) => line.split(' '))
    .map(([member = '', expiresAt]): Member => [member, Number(expiresAt)])
}
