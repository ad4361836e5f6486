const year = 365 * 86_400_000
/** Holdfast takes no longer ttl. */
const longest = 100 * year

/**
 * Gives how long an entry lives: `Infinity`: for ever; 0: it has expired already. Keyv 5 says how long, in ms (nothing or 0: for
 * ever), Keyv 6 until when, in ms since the epoch. They are told apart by their size, not by who asked before: so one adapter
 * serves both, and none mistakes a duration for a time long ago. (A ttl of 55 years or more is read as a time.)
 */
export function ttlOf(expiry: number | undefined): number {
  if (expiry === undefined || expiry === 0 || !Number.isFinite(expiry)) return Infinity
  const now = Date.now()
  const ttl = Math.max(0, Math.ceil(expiry > now - year ? expiry - now : expiry))
  return ttl > longest ? Infinity : ttl
}
