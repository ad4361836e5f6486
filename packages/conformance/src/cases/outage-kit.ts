import assert from 'node:assert/strict'
import { createEnvelopes, type Holdfast, type Sessions } from '@holdfast/core'
import { eventually, margin, steadily, within } from '../expect.ts'
import type { BackendGround } from '../ground.ts'
import type { FaultName } from '../subject.ts'

/** The faults that every outage promise is tried under. */
export const anyFault: readonly FaultName[] = ['cut', 'hang', 'slow']
/** The faults in which a write that was given up can take effect later. */
export const lateFaults: readonly FaultName[] = ['hang', 'slow']
/** How soon after the end of an outage everything is as it should be, in ms. */
const recoveryTime = 1_000

const envelopes = createEnvelopes()

/** A call ends by the deadline, whatever becomes of it. */
export function timely<T>({ deadline }: BackendGround, call: Promise<T>, what: string): Promise<T> {
  return within(deadline * 1.1 + margin, call, what)
}

/** Waits until a Holdfast is healthy again, which takes a second at most. */
export async function recovered(
  { restoredAt }: BackendGround,
  ...holdfasts: readonly Holdfast[]
): Promise<void> {
  const left = restoredAt() + recoveryTime + margin - performance.now()
  const check = async (): Promise<void> => {
    for (const { state } of holdfasts)
      assert.equal(state, 'healthy', `a second after the outage it is still ${state}`)
  }
  await eventually(check, Math.max(left, margin))
}

/** What the backend itself holds under a key, as another client sees it; `undefined`: nothing. */
export async function held({ other }: BackendGround, wireKey: string): Promise<unknown> {
  const bytes = await within(2_000, other.get(wireKey), 'a read after the outage')
  if (bytes === undefined) return undefined
  const opened = envelopes.open(wireKey, bytes)
  assert.equal(opened.status, 'opened', 'the entry should be readable')
  return opened.status === 'opened' ? opened.value : undefined
}

/** The backend comes to hold this, and stays with it: nothing late undoes it. */
export async function comesToHold(ground: BackendGround, wireKey: string, expected: unknown): Promise<void> {
  const check = async (): Promise<void> => assert.deepEqual(await held(ground, wireKey), expected)
  await eventually(check)
  await steadily(check, ground.fault === 'cut' ? 100 : 600)
}

/** A process with sessions, and one session that it has stored and seen. */
export interface Process {
  readonly holdfast: Holdfast
  readonly sessions: Sessions
}

export async function startProcess(ground: BackendGround): Promise<Process> {
  const holdfast = await ground.holdfast()
  return { holdfast, sessions: holdfast.sessions() }
}

/** A session as a framework would store it. */
export function session(user: string): { cookie: object; user: string } {
  return { cookie: {}, user }
}

/** Where a session stands in the backend. */
export function wireKeyOf({ holdfast }: Process, id: string): string {
  return `${holdfast.prefix}:session:${id}`
}

/** Lets a process find out about the outage. */
export async function degrade(ground: BackendGround, { holdfast, sessions }: Process): Promise<void> {
  await timely(ground, sessions.load('nobody'), 'the first call of the outage')
  await eventually(async () => {
    if (holdfast.state === 'degraded') return
    await timely(ground, sessions.load('nobody'), 'a call of the outage')
    assert.notEqual(holdfast.state, 'healthy', 'the outage goes unnoticed')
  }, 1_500)
}
