/**
 * Keys that were put out lately, as a table of fingerprints. Now and then it takes one key for another, which keeps an entry for
 * longer than it would have been.
 */
export interface Ghosts {
  add(key: string): void
  /** Whether a key is there; from now on it is not. */
  take(key: string): boolean
}

const fewest = 64
/** 2 MB. */
const most = 2 ** 20
/**
 * So many keys share a place by their hash. Which of them gives way goes round, not by age: of keys that come again and again in
 * the same order, more than there is room for, the oldest would always go just before it comes.
 */
const ways = 4

/** Creates a table of so many keys: from 64 to a million. */
export function createGhosts(keys: number): Ghosts {
  const places = Math.ceil(Math.min(Math.max(keys, fewest), most) / ways)
  const fingerprints = new Uint16Array(places * ways)
  let added = 0

  const firstOf = (hash: number): number => ((hash >>> 0) % places) * ways

  return {
    add(key) {
      const hash = hashOf(key)
      fingerprints[firstOf(hash) + (added++ % ways)] = fingerprintOf(hash)
    },
    take(key) {
      const hash = hashOf(key)
      const first = firstOf(hash)
      const fingerprint = fingerprintOf(hash)
      for (let at = first; at < first + ways; at++) {
        if (fingerprints[at] !== fingerprint) continue
        fingerprints[at] = 0
        return true
      }
      return false
    },
  }
}

/** Not 0, which stands for nothing. */
function fingerprintOf(hash: number): number {
  return (hash >>> 16) | 1
}

/** FNV-1a over the UTF-16 units, mixed at the end as in MurmurHash3. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
