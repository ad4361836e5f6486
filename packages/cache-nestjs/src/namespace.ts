import { encodedName, optionError } from '@holdfast/core'

/**
 * Gives what the keys of a namespace begin with: its name percent-encoded, so that none is the beginning of another; a hash of one
 * that is long. `undefined` without a name. Throws `ERR_HOLDFAST_OPTION` for what is no text.
 */
export function prefixOf(namespace: unknown, holdfastPrefix: string): string | undefined {
  if (namespace === undefined || namespace === null || namespace === '') return undefined
  if (typeof namespace !== 'string') throw optionError('namespace', 'text, or left out', namespace)
  return `${holdfastPrefix}:cache-${encodedName(namespace)}:`
}
