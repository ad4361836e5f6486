import { cachePolicyNames } from '../cache/policy.ts'
import { unknownOption } from '../errors.ts'
import type { CacheOptions, HoldfastOptions } from '../options.ts'

/** The names of options; typed by them, so that the compiler keeps a list complete. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/** The options of a Holdfast. */
export const holdfastOptionNames: OptionNames<HoldfastOptions> = {
  redis: true,
  backend: true,
  env: true,
  prefix: true,
  operationTimeout: true,
  requireAtStart: true,
  circuit: true,
  fallback: true,
  journal: true,
  logger: true,
  clock: true,
}

/** The options of a cache. */
export const cacheOptionNames: OptionNames<CacheOptions> = {
  ...cachePolicyNames,
  prefix: true,
  rule: true,
  near: true,
  indexed: true,
  quarantine: true,
  factories: true,
  compression: true,
  encryption: true,
  limits: true,
}

/** What other stores and clients call an address of Redis, or a part of it: passed over, another Redis would be used. */
const ofAddress: ReadonlySet<string> = new Set([
  'client',
  'database',
  'db',
  'host',
  'password',
  'port',
  'rootNodes',
  'socket',
  'uri',
  'url',
  'username',
])

/**
 * For authors of adapters: throws `ERR_HOLDFAST_OPTION` for an option that there is not, a misspelt one or one of another library, which
 * would leave its default in force unnoticed. Names it, and shows no value. `within` is what comes before the name.
 */
export function refuseUnknownOptions(given: object, known: object, within = ''): void {
  const unknown = Object.entries(given).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(known, name),
  )
  if (unknown === undefined) return
  const isAddress = within === '' && ofAddress.has(unknown[0])
  const instead = isAddress ? ': name the Redis by "redis"' : `, only ${Object.keys(known).join(', ')}`
  throw unknownOption(`${within}${unknown[0]}`, instead)
}
