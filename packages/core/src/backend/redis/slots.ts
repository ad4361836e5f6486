/** Gives the hash slot of a key in a Redis Cluster: CRC16 (XMODEM) of the key, or of its hash tag, modulo 16384. */
export function slotOf(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(hashTag(key)))
    crc = ((crc << 8) ^ table[((crc >> 8) ^ byte) & 0xff]!) & 0xffff
  return crc & 0x3fff
}

/** Groups the positions of keys by slot, so that a command for many keys can be sent per slot. */
export function positionsBySlot(keys: readonly string[]): number[][] {
  const groups = new Map<number, number[]>()
  keys.forEach((key, position) => {
    const slot = slotOf(key)
    const group = groups.get(slot)
    if (group) group.push(position)
    else groups.set(slot, [position])
  })
  return [...groups.values()]
}

/** What stands between the first `{` and the next `}`, if anything does; else the whole key. */
function hashTag(key: string): string {
  const open = key.indexOf('{')
  if (open === -1) return key
  const close = key.indexOf('}', open + 1)
  return close > open + 1 ? key.slice(open + 1, close) : key
}

const table = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})
