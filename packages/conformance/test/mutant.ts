import type { Backend } from '@holdfast/core'
import type { HoldfastFactory } from '@holdfast/conformance'
import { override } from './override.ts'

/** A backend, or a Holdfast on it, that breaks one promise. */
export interface Mutant {
  /** The promise that it breaks. */
  readonly breaks: string
  /** How. */
  readonly by: string
  readonly mutate?: (inner: Backend) => Backend
  readonly createHoldfast?: HoldfastFactory
}

type Change = (inner: Backend) => Partial<Backend>

/** A mutant with some methods of a good backend replaced. */
export function mutant(breaks: string, by: string, change: Change): Mutant {
  return { breaks, by, mutate: (inner) => override(inner, change(inner)) }
}
