import { optionError } from '../errors.ts'
import { createHoldfast, type Holdfast } from '../holdfast.ts'
import { onlyOptions } from '../known-options.ts'
import { holdfastOptionNames } from '../option-names.ts'
import type { HoldfastOptions } from '../options.ts'

/** A Holdfast, and how an adapter lets go of it. */
export interface HeldHoldfast {
  readonly holdfast: Holdfast
  /** Closes it, unless it is another's. */
  close(): Promise<void>
}

/**
 * For authors of adapters: gives the Holdfast that an application shares, or else one of the adapter's own, by those of the
 * options that are a Holdfast's. Throws `ERR_HOLDFAST_OPTION` for anything but a Holdfast, and for options that cannot be right.
 */
export function holdfastOf(shared: Holdfast | undefined, options: HoldfastOptions): HeldHoldfast {
  if (shared === undefined) {
    const holdfast = createHoldfast(onlyOptions(options, holdfastOptionNames))
    return { holdfast, close: () => holdfast.close() }
  }
  const isHoldfast = typeof shared?.sessions === 'function' && typeof shared.cache === 'function'
  // Text may be the URL of a Redis, with its password.
  if (!isHoldfast) throw optionError('holdfast', 'what createHoldfast gave', typeof shared)
  return { holdfast: shared, close: () => Promise.resolve() }
}
