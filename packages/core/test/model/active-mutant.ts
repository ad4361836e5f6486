/** Which part of the engine is broken on purpose now; `undefined`: none. */
export const mutant: { active: MutantName | undefined } = { active: undefined }

export type MutantName =
  | LineMutant
  | 'of two versions the later one stays'
  | "a token's keys do not go over an older record"
  | 'tokens open for any session'
  | 'sessions never count as ended'
  | 'users never count as logged out everywhere'
  | 'endings are forgotten while the primary is away'
  | 'endings of a user are not marked'
  | 'the journal is not replayed'
  | 'the primary is trusted before endings are compared'
  | 'a write in memory ignores what it was based on'
  | 'what cannot be known is said not to be there'
  | 'calls never time out'
  | 'writes are refused while the primary is away'
  | 'a changed session keeps its token'
  | 'an unknown session gets a token'
  | 'memory outranks a newer token'
  | 'what is missing counts as ended'

/** What can be broken in the line to the primary. */
export type LineMutant =
  | 'restores without set-if-absent'
  | 'drops the version check'
  | 'loads no tombstones'
  | 'publishes no endings'
  | 'keeps no tombstones in the primary'
  | 'does not notice a gap in what it hears'
  | 'loses every other write'

/** Whether this mutant is the one that is active now. */
export function is(name: MutantName): boolean {
  return mutant.active === name
}
