import {
  cacheOptionNames,
  HoldfastError,
  holdfastOptionNames,
  optionError,
  refuseUnknownOptions,
  type Holdfast,
  type HoldfastOptions,
  type OptionNames,
  type RedisSource,
} from '@holdfast/core'
import type { NamespaceOptions } from './namespaces.ts'

/** The options of {@link KeyvHoldfast}: those of a Holdfast of its own, or one that it shares, and those of its entries. */
export interface KeyvHoldfastOptions extends HoldfastOptions, NamespaceOptions {
  /** A Holdfast to share; the application closes it. Left out: the adapter creates one of its own from its options. */
  readonly holdfast?: Holdfast | undefined
  /** What keeps these keys apart from others in the same Redis. A Keyv that has a namespace of its own sets that. */
  readonly namespace?: string | undefined
}

/**
 * What may come before the options, as with `@keyv/redis`: a URL, an ioredis or a node-redis client, or a command port. Absent
 * counts as left out, as where a variable is not set: then Redis is found as without it.
 */
export type KeyvRedis =
  | string
  | URL
  | Extract<RedisSource, { duplicate(...args: never[]): unknown } | { send(...args: never[]): unknown }>
  | null
  | undefined

/**
 * Gives the options that were given alone, or behind a Redis. Throws `ERR_HOLDFAST_OPTION`, which shows no secret, for a name that
 * is no option, and for what would have to be dropped.
 */
export function readOptions(
  first: KeyvRedis | KeyvHoldfastOptions,
  second: KeyvHoldfastOptions | null | undefined,
): KeyvHoldfastOptions {
  const options = merged(first, second ?? undefined)
  refuseUnknownOptions(options, names)
  if (options.redis !== undefined && options.holdfast !== undefined)
    throw optionError('redis', 'left out where "holdfast" is given', 'both')
  return options
}

function merged(
  first: KeyvRedis | KeyvHoldfastOptions,
  second: KeyvHoldfastOptions | undefined,
): KeyvHoldfastOptions {
  if (isOptions(first)) {
    if (second === undefined) return first
    throw optionProblem('Two objects of options were given: put all options into the first one.')
  }
  if (typeof (second ?? {}) !== 'object') throw optionProblem('The options must be an object.')
  if (first === undefined || first === null) return second ?? {}
  if (second?.redis !== undefined)
    throw optionError('redis', 'left out where a Redis comes before the options', 'both')
  return { ...second, redis: first instanceof URL ? first.href : first }
}

function isOptions(first: KeyvRedis | KeyvHoldfastOptions): first is KeyvHoldfastOptions {
  if (typeof first !== 'object' || first === null || first instanceof URL) return false
  const isClient = ['duplicate', 'send'].some((name) => typeof Reflect.get(first, name) === 'function')
  return !isClient
}

const { near, rule, compression, encryption, limits } = cacheOptionNames

const names: OptionNames<KeyvHoldfastOptions> = {
  ...holdfastOptionNames,
  holdfast: true,
  namespace: true,
  near,
  rule,
  compression,
  encryption,
  limits,
}

function optionProblem(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_OPTION', message)
}
