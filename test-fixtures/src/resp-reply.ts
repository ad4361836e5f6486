/** A reply in RESP2. An error inside an array is its message. */
export type RespReply = string | number | null | RespReply[]

interface Parsed {
  readonly reply: RespReply | Error
  /** Where the next reply begins. */
  readonly end: number
}

/** Reads the first reply, or gives `undefined` while a part of it is missing. */
export function parseReply(bytes: Buffer, at = 0): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return undefined
  const type = String.fromCharCode(bytes[at]!)
  const line = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + 2
  switch (type) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: new Error(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return parseBulk(bytes, end, Number(line))
    case '*':
      return parseArray(bytes, end, Number(line))
    default:
      throw new Error(`Not RESP2: ${JSON.stringify(type + line)}`)
  }
}

function parseBulk(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: at }
  const end = at + length + 2
  if (bytes.length < end) return undefined
  return { reply: bytes.toString('utf8', at, at + length), end }
}

function parseArray(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: at }
  const items: RespReply[] = []
  let end = at
  while (items.length < length) {
    const item = parseReply(bytes, end)
    if (!item) return undefined
    items.push(item.reply instanceof Error ? item.reply.message : item.reply)
    end = item.end
  }
  return { reply: items, end }
}
