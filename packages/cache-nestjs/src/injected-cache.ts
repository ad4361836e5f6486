import type { Cache as CacheEngine } from '@holdfast/core'
import { Inject } from '@nestjs/common'
import { HOLDFAST_CACHE } from './tokens.ts'

const injected: unique symbol = Symbol('@holdfast/cache-nestjs:cache')
const done = new WeakSet<object>()

/** Has Nest inject the cache engine into the instances of a class, given by its prototype. */
export function injectInto(prototype: object): void {
  if (done.has(prototype)) return
  done.add(prototype)
  Inject(HOLDFAST_CACHE)(prototype, injected)
}

/** Gives the cache engine of an instance; `undefined` for one that was not made by Nest, as in a unit test. */
export function cacheOf(instance: object): CacheEngine | undefined {
  return (instance as { [injected]?: CacheEngine })[injected]
}
