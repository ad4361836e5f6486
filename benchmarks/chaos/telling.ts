import { setTimeout as pause } from 'node:timers/promises'

/** What any application under fault tells the one who watches. */
export type Telling =
  | { readonly type: 'transition'; readonly to: string; readonly at: number }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'uncaught'; readonly error: string }

/** Lines at the loss, at the return, and any others but that at the start. */
export interface Lines {
  readonly degraded: number
  readonly healthy: number
  readonly other: number
}

/** Any messages, of which some are these. */
export type Messages = readonly { readonly type: string }[]

export function linesIn(messages: Messages): Lines {
  const lines = told(messages).flatMap((message) => (message.type === 'log' ? [message.line] : []))
  const count = (start: string): number => lines.filter((line) => line.includes(start)).length
  const [degraded, healthy] = [count('holdfast: degraded:'), count('holdfast: healthy again:')]
  return { degraded, healthy, other: lines.length - degraded - healthy - count('holdfast: healthy: ') }
}

/** Whether there is one line at each loss and one at each return, of one loss, or as many as a busy machine may bring about. */
export function areOneEachWay({ degraded, healthy, other }: Lines, losses: number): boolean {
  return degraded >= 1 && degraded <= losses && healthy >= 1 && healthy <= degraded && other === 0
}

export function inWords({ degraded, healthy, other }: Lines): string {
  return `${degraded} + ${healthy}${other ? ` + ${other}` : ''}`
}

export function countUncaught(messages: Messages): number {
  return messages.filter(({ type }) => type === 'uncaught').length
}

const patience = 5_000

/**
 * How long it took from the repair until Redis was trusted again, in ms; 0 where the application had never noticed, or was back
 * already. `NaN`: it was not within 5 s.
 */
export async function recoveryOf(messages: Messages, repaired: number): Promise<number> {
  while (Date.now() < repaired + patience) {
    const last = told(messages).findLast((message) => message.type === 'transition')
    if (!last || last.to === 'healthy') return Math.max(0, (last?.at ?? 0) - repaired)
    await pause(5)
  }
  return Number.NaN
}

/**
 * Waits for the line that tells of the return, which comes once that has lasted for a second; where the machine is so busy that
 * Redis was lost once more, for as long as a recovery may take.
 */
export async function returnTold(messages: Messages): Promise<void> {
  const end = performance.now() + patience
  await pause(1_500)
  const isOwed = ({ degraded, healthy }: Lines): boolean => healthy < degraded
  while (isOwed(linesIn(messages)) && performance.now() < end) await pause(20)
}

/** Gives the figure that such a share of all is not above. */
export function percentile(figures: readonly number[], share: number): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length * share)] ?? Number.NaN
}

function told(messages: Messages): readonly Telling[] {
  return messages as readonly Telling[]
}
