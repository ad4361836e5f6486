import { optionError } from '../errors.ts'
import { refuseUnknownOptions, type OptionNames } from '../known-options.ts'
import { createTtlPolicy } from '../ttl.ts'
import { century, parseDuration, type Duration, type Milliseconds } from '../units.ts'
import { tagLifetime } from './versions.ts'

/** How an entry lives. Given for the whole cache, and per call, where what is given comes before the cache's. */
export interface CachePolicy<T = unknown> {
  /**
   * How long a value is fresh: a duration, `Infinity`, or a function of the value, which may also give 0 for "do not store".
   * Default: 1 hour.
   */
  readonly ttl?: Duration | ((value: T) => Duration | undefined) | undefined
  /** How long after that it may still be served where the factory fails, takes too long, or may not run. Default: 0. */
  readonly grace?: Duration | undefined
  /** Shortens each ttl by a random share of up to this, 0 to 1, so that entries do not expire together. Default: 0. */
  readonly jitter?: number | undefined
  /** What the entry can be invalidated by; at most 64, each at most 256 characters. Such entries live 30 days at most. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[]) | undefined
  /** How long a caller waits for the factory where there is a value in its grace; the factory goes on. Default: no limit. */
  readonly softTimeout?: Duration | undefined
  /**
   * How long a caller waits for a factory, in whichever process it runs; then it gets an error, and its own factory's signal
   * is aborted. Default: no limit.
   */
  readonly hardTimeout?: Duration | undefined
  /** From which share of its ttl on an entry is refreshed in the background when it is asked for, 0 to 1. Default: never. */
  readonly eager?: number | undefined
  /**
   * How long one process keeps the others from running the same factory; after that the next one tries. `false`: each
   * process runs its own. Default: 5 seconds.
   */
  readonly lease?: Duration | false | undefined
  /** How long to remember that a factory gave `undefined`, which stands for "there is none". Default: `false`, not at all. */
  readonly negative?: Duration | false | undefined
}

/** A policy, validated. */
export interface Policy {
  readonly grace: Milliseconds
  readonly softTimeout: Milliseconds
  readonly hardTimeout: Milliseconds
  readonly eager: number
  /** 0: none. */
  readonly lease: Milliseconds
  /** The tags of every value; `undefined` where they depend on the value. */
  readonly tags: readonly string[] | undefined
  /** Gives the tags of a value, and how long it is fresh: `Infinity`: for ever; 0: not to be stored. */
  lifeOf(value: unknown): { readonly tags: readonly string[]; readonly ttl: Milliseconds }
}

/** Validates what is given for a call, over what goes for all of them. */
export type PolicyReader = <T>(given?: CachePolicy<T>) => Policy

/** Reads the policy of a whole cache, and gives what reads those of its calls. Both throw an error that names the option which is wrong. */
export function createPolicyReader(
  usual: CachePolicy,
  { isShared }: { readonly isShared: boolean },
): PolicyReader {
  const read = (given: CachePolicy<any>): Policy => {
    const policy = readPolicy(given, Math.random)
    // No other process wants the same.
    return isShared ? policy : { ...policy, lease: 0 }
  }
  const policyOfAll = read(usual)
  return (given) => {
    if (given === undefined) return policyOfAll
    if (typeof given !== 'object' || given === null)
      throw optionError('policy', 'an object such as { ttl: "5m" }', given)
    refuseUnknownOptions(given, cachePolicyNames)
    return read({ ...usual, ...defined(given) })
  }
}

/** What may be given per call, by name. */
export const cachePolicyNames: OptionNames<CachePolicy> = {
  ttl: true,
  grace: true,
  jitter: true,
  tags: true,
  softTimeout: true,
  hardTimeout: true,
  eager: true,
  lease: true,
  negative: true,
}

/** Options that were given as `undefined` were not given. */
function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}

const defaultTtl: Milliseconds = 3_600_000
const defaultLease: Milliseconds = 5_000
const mostTags = 64
const longestTag = 256

function readPolicy<T>(given: CachePolicy<T>, random: () => number): Policy {
  const { ttl = defaultTtl, grace = 0, jitter, eager = 1, lease = defaultLease, negative = false } = given
  const { softTimeout = Infinity, hardTimeout = Infinity, tags: tagsOrFunction = noTags } = given
  if (typeof eager !== 'number' || !(eager >= 0 && eager <= 1))
    throw optionError('eager', 'a share from 0 to 1', eager)
  const byValue = typeof ttl === 'function' ? (ttl as (value: unknown) => Duration | undefined) : undefined
  const fixed = byValue || ttl === Infinity ? undefined : (ttl as Duration)
  const lifetime = createTtlPolicy<Duration | undefined>(
    { ttl: byValue ? (own) => own : fixed, jitter, random },
    { ttl: defaultTtl },
  )
  const tags = typeof tagsOrFunction === 'function' ? undefined : checkedTags(tagsOrFunction)
  const negativeTtl = negative === false ? 0 : parseDuration('negative', negative, { min: 1 })

  function ttlOf(value: unknown): Milliseconds {
    const own = byValue ? byValue(value) : ttl
    return own === Infinity ? Infinity : lifetime.ttlFor(own as Duration | undefined, { now: 0 })
  }

  function tagsOf(value: unknown): readonly string[] {
    if (tags) return tags
    // A function of the value knows nothing of there being none.
    return value === undefined
      ? noTags
      : checkedTags((tagsOrFunction as (value: unknown) => readonly string[])(value))
  }

  return {
    grace: parseDuration('grace', grace, { max: century }),
    softTimeout: parseDuration('softTimeout', softTimeout),
    hardTimeout: parseDuration('hardTimeout', hardTimeout, { min: 1 }),
    eager,
    lease: lease === false ? 0 : parseDuration('lease', lease, { min: 10, max: 600_000 }),
    tags,
    lifeOf(value) {
      const own = tagsOf(value)
      if (value === undefined) return { tags: own, ttl: negativeTtl }
      const asked = ttlOf(value)
      return { tags: own, ttl: own.length > 0 ? Math.min(asked, tagLifetime) : asked }
    },
  }
}

const noTags: readonly string[] = []

/** Gives tags back if they can be such, each once. */
function checkedTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags) || tags.length > mostTags)
    throw optionError('tags', `a list of at most ${mostTags}`, tags)
  if (tags.length === 0) return noTags
  return [...new Set(tags.map(checkedTag))]
}

/** Gives a tag back if it can be one. */
export function checkedTag(tag: unknown): string {
  if (typeof tag === 'string' && tag !== '' && tag.length <= longestTag && tag.isWellFormed()) return tag
  throw optionError('tags', `text of 1 to ${longestTag} characters each`, tag)
}

/** Gives a list back if it is one: text would be taken for a list of its letters. It may be a key, and is not shown. */
export function checkedList<T>(option: string, list: readonly T[]): readonly T[] {
  if (Array.isArray(list)) return list
  throw optionError(option, 'a list', typeof list)
}
