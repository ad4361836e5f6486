import type { Backend } from '@holdfast/core'
import type { Fault } from '@holdfast/conformance'

/** How late a slow disk answers, in ms. */
const slowness = 1_500

/**
 * Lets a backend in this process fail like one behind a network: SQLite has no connection that could be cut, but its
 * disk can be gone, hang or be slow. What hangs takes effect once the disk is back.
 */
export function createFaults(): { readonly fault: Required<Fault>; wrap(inner: Backend): Backend } {
  let state: 'up' | keyof Omit<Fault, 'restore'> = 'up'
  const held: (() => void)[] = []

  async function disk(): Promise<void> {
    if (state === 'cut') throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR' })
    if (state === 'hang') await new Promise<void>((resolve) => held.push(resolve))
    if (state === 'slow') await new Promise((resolve) => void setTimeout(resolve, slowness))
  }

  const after =
    <Words extends unknown[], T>(call: (...words: Words) => Promise<T>) =>
    async (...words: Words): Promise<T> => {
      if (state !== 'up') await disk()
      return call(...words)
    }

  return {
    fault: {
      cut: async () => void (state = 'cut'),
      hang: async () => void (state = 'hang'),
      slow: async () => void (state = 'slow'),
      async restore() {
        state = 'up'
        for (const release of held.splice(0)) release()
      },
    },
    wrap: ({ sets, ...inner }) => ({
      ...inner,
      get: after(inner.get),
      getMany: after(inner.getMany),
      set: after(inner.set),
      delete: after(inner.delete),
      touch: after(inner.touch),
      publish: after(inner.publish),
      subscribe: after(inner.subscribe),
      ...(sets && {
        sets: {
          add: after(sets.add),
          remove: after(sets.remove),
          members: after(sets.members),
          async *scan(set) {
            await disk()
            yield* sets.scan(set)
          },
        },
      }),
      ping: after(inner.ping),
      async *scan(prefix) {
        await disk()
        yield* inner.scan(prefix)
      },
    }),
  }
}
