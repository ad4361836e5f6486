/**
 * Tells what was asked for lately from what is asked for once: the doorkeeper of TinyLFU (Einziger et al., 2017), as a table
 * of fingerprints in which the later overwrites the earlier. Now and then it is wrong, which lets in one more.
 */
export interface Doorkeeper {
  /** Whether a key was asked for before, within about so many others; from now on it was. */
  knows(key: string): boolean
}

const fewest = 256
/** 2 MB. */
const most = 2 ** 20

/** Creates a doorkeeper that remembers so many keys, or up to twice as many: from 256 to a million. */
export function createDoorkeeper(keys: number): Doorkeeper {
  const size = 2 ** Math.ceil(Math.log2(Math.min(Math.max(keys, fewest), most)))
  const fingerprints = new Uint16Array(size)
  return {
    knows(key) {
      const hash = hashOf(key)
      const place = hash & (size - 1)
      const fingerprint = (hash >>> 16) | 1
      if (fingerprints[place] === fingerprint) return true
      fingerprints[place] = fingerprint
      return false
    },
  }
}

/** FNV-1a over the UTF-16 units, mixed at the end as in MurmurHash3. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
