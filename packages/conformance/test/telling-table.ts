import type { Backend } from '@holdfast/core'
import { override } from './override.ts'

/** Tells of a key that has changed; without one, of all. */
export type Tell = (key?: string) => void

/** How far ahead a key's end is watched for, in ms. */
const horizon = 60_000

/** A table that tells of each change, a key's end included. */
export function tellingTable(table: Backend, changed: Tell): Backend & { flush(): Promise<void> } {
  const { sets } = table

  function watchForEnd(key: string, ttl: number | undefined): void {
    if (ttl === undefined || ttl > horizon) return
    setTimeout(
      () =>
        void table.get(key).then(
          (value) => value === undefined && changed(key),
          () => undefined,
        ),
      ttl + 5,
    ).unref()
  }

  return override(table, {
    async set(key: string, value: Uint8Array, options: Parameters<Backend['set']>[2] = {}) {
      const outcome = await table.set(key, value, options)
      if (outcome.written) changed(key)
      watchForEnd(key, options.ttl)
      return outcome
    },
    async delete(key: string) {
      const wasThere = await table.delete(key)
      if (wasThere) changed(key)
      return wasThere
    },
    async touch(key: string, ttl: number) {
      const isThere = await table.touch(key, ttl)
      if (isThere) changed(key)
      watchForEnd(key, ttl)
      return isThere
    },
    sets: override(sets!, {
      async add(set, members, also) {
        await sets!.add(set, members, also)
        if (also?.delete !== undefined) changed(also.delete)
      },
    }),
    async flush() {
      for await (const keys of table.scan('')) await Promise.all(keys.map((key) => table.delete(key)))
      changed()
    },
  } as Partial<Backend & { flush(): Promise<void> }>) as Backend & { flush(): Promise<void> }
}
