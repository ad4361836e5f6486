/**
 * Gives the value of a cookie of which no letter needs decoding, by the `name=` that it starts with: as browsers send it in a
 * part of the time that it takes to read them all, and else as express-session reads its own.
 */
export function cookieValue(header: string, start: string): string | undefined {
  const at = header.startsWith(start) ? 0 : header.indexOf(`; ${start}`) + 2
  if (at !== 1) {
    const end = header.indexOf(';', at)
    const value = header.slice(at + start.length, end < 0 ? undefined : end)
    if (isBare(value)) return value
  }
  const name = start.slice(0, -1)
  return header.includes(name) ? leniently(header, name) : undefined
}

/** The last of what may stand around a value, which is a tab, a space or a double quote. */
const doubleQuote = 0x22

function isBare(value: string): boolean {
  return value.charCodeAt(0) > doubleQuote && value.charCodeAt(value.length - 1) > doubleQuote
}

function leniently(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue
    const value = pair.slice(equals + 1).trim()
    return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  }
  return undefined
}
