/** An ending, as it should count. */
export interface Ending {
  /** Whether the process that ended was in touch with the primary. */
  readonly wasTold: boolean
  /** Of one session, or of all that a user had. */
  readonly of: 'session' | 'user'
  covers(session: {
    readonly id: string
    readonly user: string | undefined
    readonly bornAt: number
  }): boolean
}

type Ended = Parameters<Ending['covers']>[0]

/**
 * Who must know of which ending: the process that ended, those that heard it, and those that have met the primary since
 * it knew. Where nothing says that somebody must know, somebody may.
 */
export interface KnownEndings {
  mark(ending: Ending, by: { readonly process: number; readonly hearing: readonly number[] }): void
  /** A process and the primary have told each other what they know; those that hear, hear what is new. */
  met(process: number, hearing: readonly number[]): void
  restarted(process: number): void
  /** An ending of this session of which a process must know. */
  knownTo(process: number, session: Ended): Ending | undefined
  /** Whether it was ended at all, by anybody. */
  isEnded(session: Ended): boolean
  lost(): void
  copy(): ReadonlySet<Ending>
  restore(copy: ReadonlySet<Ending>): void
}

export function createKnownEndings(processes: number): KnownEndings {
  const all = new Set<Ending>()
  const known = Array.from({ length: processes }, () => new Set<Ending>())
  let primary = new Set<Ending>()

  function learn(set: Set<Ending>, endings: Iterable<Ending>): void {
    for (const ending of endings) set.add(ending)
  }

  return {
    mark(ending, { process, hearing }) {
      all.add(ending)
      known[process]!.add(ending)
      if (!ending.wasTold) return
      primary.add(ending)
      for (const other of hearing) known[other]!.add(ending)
    },
    met(process, hearing) {
      const fresh = [...known[process]!].filter((ending) => !primary.has(ending))
      learn(primary, fresh)
      learn(known[process]!, primary)
      for (const other of hearing) learn(known[other]!, fresh)
    },
    restarted: (process) => known[process]!.clear(),
    knownTo: (process, session) => [...known[process]!].find((ending) => ending.covers(session)),
    isEnded: (session) => [...all].some((ending) => ending.covers(session)),
    lost: () => primary.clear(),
    copy: () => new Set(primary),
    restore: (copy) => void (primary = new Set(copy)),
  }
}
