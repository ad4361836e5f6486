import assert from 'node:assert/strict'
import type { CacheGround } from '../cache-ground.ts'
import type { ConformantCache } from '../conformant-cache.ts'
import { pause, within } from '../expect.ts'
import type { FaultName } from '../subject.ts'

/** The faults that every outage promise is tried under. */
export const anyFault: readonly FaultName[] = ['cut', 'hang', 'slow']

type Unclaimed = (ground: CacheGround) => string | undefined

/** Asks for optional methods. */
export function has(...methods: (keyof ConformantCache)[]): Unclaimed {
  return ({ cache }) => {
    const absent = methods.find((method) => typeof cache[method] !== 'function')
    return absent && `the cache has no ${absent}`
  }
}

/** Asks for something the subject says of itself, or offers. */
export function claims(claim: 'createPeer' | 'plant' | 'grace' | 'factories' | 'close'): Unclaimed {
  return ({ subject }) => (subject[claim] ? undefined : `the subject has no "${claim}"`)
}

/** Asks for all of these. */
export function all(...needs: readonly Unclaimed[]): Unclaimed {
  return (ground) => needs.map((need) => need(ground)).find((reason) => reason !== undefined)
}

/** A call of an outage ends in time. */
export function timely<T>({ deadline }: CacheGround, call: Promise<T>, what: string): Promise<T> {
  return within(deadline, call, what)
}

/** A factory that knows how often it ran. */
export interface Counted {
  (): Promise<unknown>
  calls: number
  /** How many ran at once, at most. */
  most: number
}

/** A factory that takes so many ms. */
export function counted(make: () => unknown, ms = 0): Counted {
  let running = 0
  const factory: Counted = Object.assign(
    async () => {
      factory.calls++
      factory.most = Math.max(factory.most, ++running)
      try {
        if (ms > 0) await pause(ms)
        return make()
      } finally {
        running--
      }
    },
    { calls: 0, most: 0 },
  )
  return factory
}

/** What a factory throws here. */
export class FactoryError extends Error {}

export function failing(): never {
  throw new FactoryError('the database is away')
}

/** The call rejects with what its factory threw. */
export async function failsWithFactory(call: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(call, FactoryError, `${what} should reject with the error of the factory`)
}

/** Calls a function so many times at once. */
export function times<T>(count: number, call: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => call(index))
}
