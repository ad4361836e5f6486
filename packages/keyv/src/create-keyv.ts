import { Keyv } from 'keyv'
import { KeyvHoldfast, type KeyvHoldfastOptions } from './store.ts'

/**
 * Creates a Keyv on a {@link KeyvHoldfast}, of whichever Keyv is installed, 5 or 6. Keys and values in Redis are the same under
 * both, as the adapter alone keeps namespaces apart.
 */
export function createKeyv(options?: KeyvHoldfastOptions): Keyv
export function createKeyv(redis: string, options?: KeyvHoldfastOptions): Keyv
export function createKeyv(first?: string | KeyvHoldfastOptions, second?: KeyvHoldfastOptions): Keyv {
  const store = new KeyvHoldfast(first as string, second)
  // Named also where there is none: left out, Keyv 5 would take one of its own.
  return new Keyv({ store, namespace: store.namespace as string, useKeyPrefix: false })
}
