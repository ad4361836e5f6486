import { isByFault, states, type Case, type State } from './case.ts'
import { atMost, pause, within } from './expect.ts'
import { offers, type Fault, type FaultName } from './subject.ts'

/** What a promise came to in one state. */
export interface Check {
  readonly theme: string
  /** The promise. */
  readonly name: string
  readonly fault: FaultName
  readonly state: State
  readonly status: 'passed' | 'failed' | 'not claimed'
  /** Why it is not claimed. */
  readonly reason?: string
  readonly error?: unknown
  readonly ms: number
}

interface Ground {
  close(): Promise<void>
}

/** What one run through the states needs. */
export interface Voyage<Of extends Ground> {
  readonly subject: { readonly fault?: Fault; readonly clock?: unknown }
  readonly fault: FaultName
  readonly cases: readonly Case<Of>[]
  readonly groundOf: (index: number) => Of
  /** The fault is over. */
  readonly onRestored: () => void
  readonly onResult: (check: Check) => void
}

interface Passage<Of> {
  readonly promise: Case<Of>
  readonly ground: Of
  readonly unclaimed: string | undefined
  memo: unknown
  failedIn: State | undefined
}

/** How long a step may take, in ms: it ends what hangs, also on a slow disk. What a promise says of time, its case measures. */
const stepTimeout = 20_000
const closeTimeout = 2_000
/** How long the second outage lasts, in ms: enough to be noticed. */
const secondOutage = 300
/** How many cases that can wait set out at once: a stampede would look like an outage. */
const lanes = 8
const stoppedAfterFailure = new Error('not reached: an earlier state failed')

/**
 * Sails all cases through the states together, with one outage for all of them: they run side by side, unless the
 * subject's clock is moved by hand.
 */
export async function sail<Of extends Ground>(voyage: Voyage<Of>): Promise<void> {
  const { subject, fault, cases } = voyage
  const passages = cases.map((promise, index): Passage<Of> => {
    const ground = voyage.groundOf(index)
    return { promise, ground, unclaimed: promise.unclaimed?.(ground), memo: undefined, failedIn: undefined }
  })
  const isOffered = offers(subject, fault)
  const take = (...wanted: State[]): boolean =>
    isOffered &&
    passages.some(({ promise, unclaimed }) => !unclaimed && wanted.some((state) => promise.steps[state]))

  await enter('healthy')
  await outage(take('degraded', 'recovered'), () => enter('degraded'))
  await enter('recovered')
  await outage(take('recovered again'), () => pause(secondOutage))
  await enter('recovered again')
  await Promise.all(passages.map(({ ground }) => atMost(closeTimeout, ground.close())))
  await enter('closed')
  await Promise.all(passages.map(({ ground }) => atMost(closeTimeout, ground.close())))

  async function outage(isTaken: boolean, during: () => Promise<unknown>): Promise<void> {
    if (isTaken) await subject.fault![fault]!()
    await during()
    if (!isTaken) return
    await subject.fault!.restore!()
    voyage.onRestored()
  }

  async function enter(state: State): Promise<void> {
    const concerned = passages.filter(({ promise }) => promise.steps[state])
    const canWait = ({ promise }: Passage<Of>): boolean => state === 'healthy' || promise.isRepeated
    const urgent = concerned.filter((passage) => !canWait(passage))
    await sailOn(urgent, urgent.length)
    await sailOn(concerned.filter(canWait), lanes)

    async function sailOn(fleet: readonly Passage<Of>[], abreast: number): Promise<void> {
      const waiting = fleet.values()
      const next = async (): Promise<void> => {
        for (const passage of waiting) await step(passage, state)
      }
      await Promise.all(Array.from({ length: subject.clock ? 1 : abreast }, next))
    }
  }

  async function step(passage: Passage<Of>, state: State): Promise<void> {
    const { promise, ground, unclaimed } = passage
    const needsFault = isByFault(state) && !isOffered
    const reason = unclaimed ?? (needsFault ? `the subject offers no fault.${fault}` : undefined)
    const { theme, name } = promise
    const at = { theme, name, fault, state } as const
    if (reason !== undefined) return voyage.onResult({ ...at, status: 'not claimed', reason, ms: 0 })
    if (passage.failedIn)
      return voyage.onResult({ ...at, status: 'failed', error: stoppedAfterFailure, ms: 0 })

    const began = performance.now()
    const elapsed = (): number => Math.round(performance.now() - began)
    try {
      const result = await within(stepTimeout, promise.steps[state]!(ground, passage.memo), 'the case')
      if (state === 'healthy') passage.memo = result
      voyage.onResult({ ...at, status: 'passed', ms: elapsed() })
    } catch (error) {
      passage.failedIn = state
      voyage.onResult({ ...at, status: 'failed', error, ms: elapsed() })
    }
  }
}

/** The checks that a case will come to, in order. */
export function checksOf(promise: Case<never>): { fault: FaultName; state: State }[] {
  const tried = states.filter((state) => promise.steps[state])
  return promise.under.flatMap((fault) => tried.map((state) => ({ fault, state })))
}
