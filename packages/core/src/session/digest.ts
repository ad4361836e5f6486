import { hash } from 'node:crypto'

/**
 * The digest under which an id is known outside of its own record: 128 bits of SHA-256. Session ids are random, so it
 * tells nothing of them; and it needs no key that a rotation would change.
 */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
