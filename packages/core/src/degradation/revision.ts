/** Finer than a millisecond, so that many writes in one do not push the clock ahead; exact in a float64 until 2100. */
const step = 1 / 1024

/** The revision of what is made of two: later than both, and no later than that, as neither was written now. */
export function revisionAfter(one: number, other: number): number {
  return Math.max(one, other) + step
}

/**
 * Gives the revision of a write: the time in ms since the epoch, but later than any revision in `after`, and than all
 * that this function gave before. A hybrid logical clock (Kulkarni et al., 2014) without the message exchange. A random
 * part of the millisecond keeps two processes from giving one revision to two writes.
 */
export function createRevisions(now: () => number): (after?: number) => number {
  let last = 0
  return (after = 0) => (last = Math.max(now() + Math.random(), last + step, after + step))
}

/** The revision of what was made without knowing what there was: older than all that was. */
export const blindRevision = 1
