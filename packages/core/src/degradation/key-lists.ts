import type { Fault } from '../availability/classify.ts'
import type { Backend } from '../backend/backend.ts'
import { HoldfastError } from '../errors.ts'
import type { Keyspace } from '../keys.ts'
import type { Funnel } from './funnel.ts'
import type { Knowledge } from './knowledge.ts'

/** Lists keys, in batches. Keys beyond the length limit are not listed. */
export interface KeyLists {
  /** Gives all keys; while degraded those that this process knows. */
  keys(): AsyncIterable<readonly string[]>
  /** Gives all keys that the primary has; rejects with `ERR_HOLDFAST_UNAVAILABLE` where it cannot be asked. */
  primaryKeys(): AsyncIterable<readonly string[]>
}

export function createKeyLists({
  ask,
  backend,
  keyspace,
  knowledge,
}: {
  readonly ask: Funnel
  readonly backend: Backend
  readonly keyspace: Keyspace
  readonly knowledge: Knowledge
}): KeyLists {
  /** `rest` gives what is left once the primary cannot be asked. */
  async function* batchesOr(
    rest: (fault: Fault | undefined) => readonly string[],
  ): AsyncIterable<readonly string[]> {
    const batches = backend.scan(keyspace.prefix)[Symbol.asyncIterator]()
    for (;;) {
      const batch = await ask<IteratorResult<readonly string[]>, IteratorResult<readonly string[]>>('read', {
        primary: () => batches.next(),
        answered: (result) => result,
        degraded: (fault) => ({ done: true, value: rest(fault) }),
      })
      yield ((batch.value as readonly string[] | undefined) ?? [])
        .map((wireKey) => keyspace.keyOf(wireKey))
        .filter((key) => key !== undefined)
      if (batch.done) return
    }
  }

  return {
    keys: () => batchesOr(() => knowledge.wireKeys(keyspace.prefix)),
    primaryKeys: () =>
      batchesOr((fault) => {
        throw new HoldfastError('ERR_HOLDFAST_UNAVAILABLE', 'The primary cannot be asked for its keys.', {
          cause: fault?.error,
        })
      }),
  }
}
