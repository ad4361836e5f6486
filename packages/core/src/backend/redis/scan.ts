import type { CommandPort } from './port.ts'
import { arrayOf, bytesOf, integrityError } from './replies.ts'

/** How many keys Redis looks at in one step: about a millisecond of its time. */
const step = '1000'

/** Walks every master and gives the keys that start with a plain-text prefix, in batches. */
export async function* scanKeys(port: CommandPort, prefix: string): AsyncIterable<readonly string[]> {
  const wirePrefix = port.keyPrefix + prefix
  const pattern = `${escaped(wirePrefix)}*`
  for (const send of port.shards()) {
    let cursor = '0'
    do {
      const [next, found] = arrayOf(await send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', step]), 2)
      cursor = bytesOf(next!)?.toString() ?? ''
      if (!/^\d+$/.test(cursor) || !Array.isArray(found)) throw integrityError('a step of a scan')
      const keys = found.map((key) => bytesOf(key)?.toString() ?? '')
      if (!keys.every((key) => key.startsWith(wirePrefix)))
        throw integrityError('the keys that were asked for')
      if (keys.length > 0) yield keys.map((key) => key.slice(port.keyPrefix.length))
    } while (cursor !== '0')
  }
}

/** Makes glob characters mean themselves. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
