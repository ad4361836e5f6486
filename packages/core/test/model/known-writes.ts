/** Of each key of each session the oldest value that may still be shown: values grow with each write. */
export type Floors = ReadonlyMap<string, number>

/** Which acknowledged writes the primary has for certain, and which wait in a process. */
export interface KnownWrites {
  /** A write was acknowledged by a process that was in touch with the primary, or by one that keeps it for later. */
  wrote(process: number, write: Write, isInTouch: boolean): void
  /** The primary has a record of this session, which is as new as this. */
  has(session: string, floors: Iterable<readonly [key: string, value: number]>): void
  /** A process has brought to the primary what it kept. */
  settled(process: number): void
  restarted(process: number): void
  /** What a process has to show of a session by itself, and, in touch with the primary, by that. */
  floorsOf(process: number, session: string, isInTouch: boolean): Floors
  /** Whether the primary has a record of a session for certain. */
  isThere(session: string): boolean
  lost(session?: string): void
  copy(): Records
  restore(copy: Records): void
}

export interface Write {
  readonly session: string
  readonly key: string
  readonly value: number
  /** What it was made on: a new session, one that was known, or one that could not be known. */
  readonly on: 'new' | 'known' | 'unknown'
}

export type Records = ReadonlyMap<string, Floors>

export function createKnownWrites(processes: number): KnownWrites {
  const kept: Write[][] = Array.from({ length: processes }, () => [])
  let records = new Map<string, Floors>()

  function raise(session: string, floors: Iterable<readonly [string, number]>): void {
    records.set(session, highest(records.get(session) ?? [], floors))
  }

  /** What is based on a record that was lost is left to the token. */
  function giveUp(): void {
    for (const [i, writes] of kept.entries()) kept[i] = writes.filter(({ session }) => records.has(session))
  }

  return {
    wrote(process, write, isInTouch) {
      if (!isInTouch) kept[process]!.push(write)
      else if (write.on !== 'unknown') raise(write.session, [[write.key, write.value]])
    },
    has: raise,
    settled(process) {
      for (const { session, key, value, on } of kept[process]!.splice(0))
        if (on === 'new' || records.has(session)) raise(session, [[key, value]])
    },
    restarted: (process) => void kept[process]!.splice(0),
    floorsOf(process, session, isInTouch) {
      const own = kept[process]!.filter((write) => write.session === session)
      return highest(
        isInTouch ? (records.get(session) ?? []) : [],
        own.map(({ key, value }) => [key, value]),
      )
    },
    isThere: (session) => records.has(session),
    lost(session) {
      if (session === undefined) records.clear()
      else records.delete(session)
      giveUp()
    },
    copy: () => new Map(records),
    restore(copy) {
      records = new Map(copy)
      giveUp()
    },
  }
}

export function highest(
  some: Iterable<readonly [string, number]>,
  others: Iterable<readonly [string, number]>,
): Floors {
  const floors = new Map(some)
  for (const [key, value] of others) floors.set(key, Math.max(value, floors.get(key) ?? 0))
  return floors
}
