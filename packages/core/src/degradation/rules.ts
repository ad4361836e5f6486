import { optionError } from '../errors.ts'

/**
 * How a read is answered while the primary is away.
 *
 * - `fallback`: from this process' memory; what is not there is unknown, which is not the same as absent.
 * - `unknown`: not at all; the caller goes on without it.
 * - `refuse`: with an error, `ERR_HOLDFAST_UNAVAILABLE`.
 */
export type DegradedRead = 'fallback' | 'unknown' | 'refuse'

/**
 * What becomes of a write while the primary is away.
 *
 * - `journal`: it counts at once in this process, and reaches the primary on recovery unless that has a newer one.
 * - `invalidate`: the value is not kept; on recovery the entry is removed, so that nothing stale is served.
 * - `fallback`: it counts in this process only, and ends with the outage.
 * - `refuse`: an error, `ERR_HOLDFAST_UNAVAILABLE`.
 */
export type DegradedWrite = 'journal' | 'invalidate' | 'fallback' | 'refuse'

/** A degradation rule. */
export interface Rule {
  readonly read: DegradedRead
  readonly write: DegradedWrite
  /** Whether this process keeps a copy of what it reads and writes while healthy, to go on from. */
  readonly mirror: boolean
}

const refuse: Rule = { read: 'refuse', write: 'refuse', mirror: false }

/** The rules by concern. The first of each is the default. */
export const degradationRules: {
  readonly cache: Readonly<Record<'bypass' | 'memory' | 'refuse', Rule>>
  readonly session: Readonly<Record<'token' | 'memory' | 'refuse', Rule>>
} = {
  cache: {
    bypass: { read: 'unknown', write: 'invalidate', mirror: false },
    memory: { read: 'fallback', write: 'journal', mirror: true },
    refuse,
  },
  session: {
    // What the continuity token adds is the session engine's; without one, `memory` is the default.
    token: { read: 'fallback', write: 'journal', mirror: true },
    memory: { read: 'fallback', write: 'journal', mirror: true },
    refuse,
  },
}

/** The concerns that have rules. */
export type Concern = keyof typeof degradationRules
/** The names of a concern's rules. */
export type RuleName<Of extends Concern> = keyof (typeof degradationRules)[Of]

/** Gives a rule of a concern, and its name; throws an error that names the option which is wrong. */
export function ruleOf(concern: Concern, given: string | undefined): [name: string, rule: Rule] {
  if (!Object.hasOwn(degradationRules, concern))
    throw optionError('concern', oneOf(Object.keys(degradationRules)), concern)
  const rules: Readonly<Record<string, Rule>> = degradationRules[concern]
  const names = Object.keys(rules)
  const name = given === undefined ? names[0]! : given
  if (!Object.hasOwn(rules, name)) throw optionError('rule', oneOf(names), given)
  return [name, rules[name]!]
}

function oneOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ')
}
