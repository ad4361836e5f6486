import { startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import { createHoldfast, type Holdfast } from '@holdfast/core'
import { afterAll, beforeAll, describe } from 'vitest'

/** What a suite runs on. */
export interface Ground {
  readonly holdfast: Holdfast
  /** `undefined` in memory. */
  readonly redis: RedisServer | undefined
}

/** Runs a suite on a real Redis, and in memory. */
export function onEach(suite: (ground: Ground) => void): void {
  describe.each(['Redis', 'memory'])('on %s', (name) => {
    const ground: { holdfast: Holdfast; redis: RedisServer | undefined } = {
      holdfast: undefined as never,
      redis: undefined,
    }
    beforeAll(async () => {
      if (name === 'Redis') ground.redis = await startRedis()
      // Of no interest here, and machines are busy.
      const operationTimeout = 5_000
      ground.holdfast = createHoldfast({
        redis: ground.redis?.url ?? 'memory',
        operationTimeout,
        logger: false,
      })
      await ground.holdfast.ready()
    })
    afterAll(async () => {
      await ground.holdfast.close()
      await ground.redis?.stop()
    })
    suite(ground)
  })
}

/** What an iterator gives, by key. */
export async function entriesOf(
  iterator: AsyncIterable<readonly unknown[]>,
): Promise<ReadonlyMap<unknown, unknown>> {
  const entries = new Map<unknown, unknown>()
  for await (const [key, value] of iterator) entries.set(key, value)
  return entries
}
