/**
 * Since when each process must know all endings. It may refuse to restore what a token says that is older: so it is with a
 * process that started after the primary had lost its data, as long as it has met nobody who knew of before.
 */
export interface KnownSince {
  /** Whether a process may say of a token that it is from before what it can know. */
  mayDistrust(process: number, issuedAt: number): boolean
  /** A process and the primary have told each other what they know. */
  met(process: number, now: number): void
  restarted(process: number): void
  lost(): void
  copy(): number | undefined
  restore(copy: number | undefined): void
}

export function createKnownSince(processes: number): KnownSince {
  const since: (number | undefined)[] = Array.from({ length: processes }, () => undefined)
  let primary: number | undefined

  return {
    mayDistrust: (process, issuedAt) => issuedAt < (since[process] ?? 0),
    met(process, now) {
      const earliest = Math.min(primary ?? Infinity, since[process] ?? Infinity)
      primary = earliest === Infinity ? now : earliest
      since[process] = primary
    },
    restarted: (process) => void (since[process] = undefined),
    lost: () => void (primary = undefined),
    copy: () => primary,
    restore: (copy) => void (primary = copy),
  }
}
