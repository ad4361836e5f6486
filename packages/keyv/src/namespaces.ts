import {
  encodedName,
  HoldfastError,
  optionError,
  type Cache,
  type CacheOptions,
  type Holdfast,
} from '@holdfast/core'
import { isDeepStrictEqual } from 'node:util'

/** What all namespaces of an adapter have in common. */
export type NamespaceOptions = Pick<CacheOptions, 'near' | 'rule' | 'compression' | 'encryption' | 'limits'>

/** A namespace and how its keys are named in its cache. */
export interface Namespace {
  readonly name: string
  readonly options: NamespaceOptions
  readonly cache: Cache
  /** Gives the cache's key for one of Keyv's: for a number, which JavaScript lets through, that of its text. */
  toCache(key: string): string
  /** Gives Keyv's key back. */
  fromCache(key: string): string
}

/** How many namespaces one Holdfast has at most: each is kept up with, and settled after an outage, as long as it lives. */
const most = 1_000

const ofHoldfast = new WeakMap<Holdfast, Namespace[]>()

/**
 * Gives a namespace of a Holdfast: the same one to all adapters that ask for it with the same options. Throws
 * `ERR_HOLDFAST_OPTION` where its name or options cannot be right, and where there are too many.
 */
export function namespaceOf(
  holdfast: Holdfast,
  given: string | null | undefined,
  options: NamespaceOptions,
): Namespace {
  const name = given ?? ''
  if (typeof name !== 'string') throw optionError('namespace', 'text, or left out', name)
  const known = ofHoldfast.get(holdfast) ?? []
  ofHoldfast.set(holdfast, known)
  const there = known.find((one) => one.name === name && isDeepStrictEqual(one.options, options))
  if (there) return there
  if (known.length >= most)
    throw new HoldfastError(
      'ERR_HOLDFAST_OPTION',
      `There are ${most} namespaces already, which is the most: put what tells them apart into the keys.`,
    )
  const made = createNamespace(holdfast, name, options)
  known.push(made)
  return made
}

function createNamespace(holdfast: Holdfast, name: string, options: NamespaceOptions): Namespace {
  const cache = holdfast.cache({
    ...options,
    prefix: `${holdfast.prefix}:keyv:${encodedName(name)}:`,
    indexed: true,
    ttl: Infinity,
  })
  // Keyv 5 puts the namespace before each key itself, unless it is told not to: there it is left out.
  const own = name === '' ? undefined : `${name}:`
  return {
    name,
    options,
    cache,
    toCache(key) {
      const text = String(key)
      return own !== undefined && text.startsWith(own) ? `=${text.slice(own.length)}` : `:${text}`
    },
    fromCache: (key) => (key.startsWith('=') ? `${own}${key.slice(1)}` : key.slice(1)),
  }
}
