export { createKeyv } from './create-keyv.ts'
export { KeyvHoldfast } from './store.ts'
export type { KeyvHoldfastOptions, KeyvRedis } from './store.ts'
