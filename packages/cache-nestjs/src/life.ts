import { optionError, type CachePolicy } from '@holdfast/core'

/** A ttl as cache-manager takes it: ms, where 0 and none mean that there is no expiry; or a duration such as `"5m"`. */
export type Ttl = number | string | null | undefined

/** 100 years: what is to live longer has no expiry. */
const longest = 36_500 * 86_400_000

/** Says a ttl of cache-manager in the engine's words. */
export function lifeOf(ttl: Ttl): CachePolicy<any> {
  const life = lifetime(ttl)
  // An entry that is over already is not one: the engine takes that from functions only.
  return { ttl: life === 0 ? () => 0 : life }
}

/** Says a function's ttl in the engine's words; throws `ERR_HOLDFAST_OPTION` for what is none, such as a promise of one. */
export function lifetime(ttl: Ttl): number | string {
  if (typeof ttl === 'string') return ttl
  if (ttl && typeof ttl !== 'number')
    throw optionError('ttl', 'a number of milliseconds, or text such as "5m"', ttl)
  if (!ttl || ttl > longest) return Infinity
  return ttl < 0 ? 0 : Math.max(ttl, 1)
}

/** When an entry expires, in ms since the epoch; `undefined`: it does not. */
export function expiryOf({ freshUntil }: { readonly freshUntil: number }): number | undefined {
  return freshUntil === Infinity ? undefined : freshUntil
}

/** When an entry expires that is stored now. */
export function expiryAfter(ttl: Ttl): number | undefined {
  return typeof ttl === 'number' && ttl > 0 ? Date.now() + ttl : undefined
}
