import type { CacheOptions } from '@holdfast/core'
import type { CacheMutation } from './model-cache.ts'

/** A cache that breaks one promise. */
export interface CacheMutant {
  /** The promise that it breaks. */
  readonly breaks: string
  /** How. */
  readonly by: string
  readonly mutation?: CacheMutation
  readonly options?: CacheOptions
}

/** A mutant with some methods of a good cache replaced. */
export function mutant(breaks: string, by: string, mutation: CacheMutation): CacheMutant {
  return { breaks, by, mutation }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
