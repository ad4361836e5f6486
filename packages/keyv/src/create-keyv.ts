import { Keyv } from 'keyv'
import { KeyvHoldfast, type KeyvHoldfastOptions, type KeyvRedis } from './store.ts'

/**
 * Creates a Keyv on a {@link KeyvHoldfast}, of whichever Keyv is installed, 5 or 6. Keys and values in Redis are the same under
 * both, as the adapter alone keeps namespaces apart. Throws `ERR_HOLDFAST_OPTION` as the adapter does.
 */
export function createKeyv(options?: KeyvHoldfastOptions): Keyv
export function createKeyv(redis: KeyvRedis, options?: KeyvHoldfastOptions): Keyv
export function createKeyv(first?: KeyvRedis | KeyvHoldfastOptions, second?: KeyvHoldfastOptions): Keyv {
  const store = new KeyvHoldfast(first as KeyvRedis, second)
  // Named also where there is none: left out, Keyv 5 would take one of its own.
  return new Keyv({ store, namespace: store.namespace as string, useKeyPrefix: false })
}
