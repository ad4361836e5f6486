import type { Milliseconds } from '../units.ts'

/** What a cache did since it was made. */
export interface CacheStatistics {
  readonly hits: {
    /** Answered from this process' memory. */
    readonly near: number
    /** Answered by the primary. */
    readonly primary: number
    /** Answered with a value past its ttl, within its grace. */
    readonly stale: number
  }
  readonly misses: number
  /** Reads that could not ask the primary. */
  readonly bypasses: number
  /** Factories that ran while there still was a value to serve. */
  readonly refreshes: number
  readonly factories: {
    readonly calls: number
    readonly errors: number
    readonly timeouts: number
    /** Callers who were refused because too many factories ran already. */
    readonly refused: number
    /** What they took together. */
    readonly time: Milliseconds
  }
  /** Values that could not be stored, although the call went well. */
  readonly unstored: number
  /** What the near cache holds; 0 where there is none. */
  readonly near: { readonly entries: number; readonly bytes: number; readonly isOn: boolean }
}

/** The counters behind {@link CacheStatistics}. */
export interface Counters {
  near: number
  primary: number
  stale: number
  misses: number
  bypasses: number
  refreshes: number
  calls: number
  errors: number
  timeouts: number
  refused: number
  time: Milliseconds
  unstored: number
}

export function createCounters(): Counters {
  return {
    near: 0,
    primary: 0,
    stale: 0,
    misses: 0,
    bypasses: 0,
    refreshes: 0,
    calls: 0,
    errors: 0,
    timeouts: 0,
    refused: 0,
    time: 0,
    unstored: 0,
  }
}

export function statisticsOf(counters: Counters, near: CacheStatistics['near']): CacheStatistics {
  const { near: nearHits, primary, stale, misses, bypasses, refreshes, unstored } = counters
  const { calls, errors, timeouts, refused, time } = counters
  return {
    hits: { near: nearHits, primary, stale },
    misses,
    bypasses,
    refreshes,
    factories: { calls, errors, timeouts, refused, time },
    unstored,
    near,
  }
}
