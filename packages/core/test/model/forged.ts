import type { Cookies } from './browser.ts'
import type { Forgery } from './schedule.ts'

/** Cookies whose token should count as absent; `undefined` where there is nothing to make them of. */
export function forged(how: Forgery, jar: Cookies, other: Cookies): Cookies | undefined {
  const { id, token } = jar
  if (id === undefined) return undefined
  switch (how) {
    case 'altered':
      return token === undefined ? undefined : { id, token: altered(token) }
    case 'cut short':
      return token === undefined ? undefined : { id, token: token.slice(0, -1) }
    case 'of another session':
      return other.token === undefined || other.id === id ? undefined : { id, token: other.token }
    case 'too long':
      return { id, token: 'a'.repeat(9_000) }
    case 'garbage':
      return { id, token: 'no..token.at.all' }
  }
}

function altered(token: string): string {
  const at = Math.floor(token.length * 0.6)
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}
