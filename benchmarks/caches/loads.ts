import assert from 'node:assert/strict'
import type { Candidate } from './candidates.ts'
import { keysOf, sizes, valueOf, type Size } from './values.ts'

/** What callers do again and again; each asks for another key. */
export type Load =
  | { readonly do: 'get' | 'getOrSet' | 'set' | 'getMany'; readonly size: Size }
  /** Reads of many keys of which few are asked for often. */
  | { readonly do: 'zipf' }

/** How many keys `getMany` asks for. */
export const batch = 50
export const zipf = { entries: 100_000, exponent: 0.99 } as const

/** Gives what a candidate does for each load, with what it reads already stored; each time it goes on where it was. */
export function loadsOf(candidate: Candidate): (load: Load) => Promise<() => Promise<unknown>> {
  const filled = remembered((name: string) => {
    const bytes = sizes[name as Size]
    return store(candidate, keysOf(bytes > 10_000 ? 100 : 1_000, name), bytes)
  })
  const started = remembered((text: string) => start(JSON.parse(text) as Load))

  async function start(load: Load): Promise<() => Promise<unknown>> {
    if (load.do === 'zipf') {
      const { all } = await store(candidate, keysOf(zipf.entries, 'key'), sizes['100 B'])
      const order = drawn(zipf.entries, 500_000)
      let at = 0
      const read = candidate.fillsByGetOrSet ? getOrSet(candidate) : candidate.get
      return () => read(all[order[at++ % order.length]!]!)
    }
    const keys = await filled(load.size)
    switch (load.do) {
      case 'get':
        return () => candidate.get(keys.next())
      case 'getOrSet': {
        const read = getOrSet(candidate)
        return () => read(keys.next())
      }
      case 'set': {
        const values = keys.all.map((_, i) => valueOf(sizes[load.size], i))
        let i = 0
        return () => candidate.set(keys.next(), values[i++ % values.length])
      }
      case 'getMany':
        return () => candidate.getMany(Array.from({ length: batch }, () => keys.next()))
    }
  }

  return (load) => started(JSON.stringify(load))
}

function remembered<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return (name) => {
    if (!made.has(name)) made.set(name, make(name))
    return made.get(name)!
  }
}

/** What the bare client and keyv have no word for is compared with what they have. */
function getOrSet({ getOrSet: own, get }: Candidate): (key: string) => Promise<unknown> {
  const factory = (): Promise<never> => Promise.reject(new Error('a hit runs no factory'))
  return own ? (key) => own(key, factory) : get
}

async function store(
  candidate: Candidate,
  keys: ReturnType<typeof keysOf>,
  bytes: number,
): Promise<ReturnType<typeof keysOf>> {
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < keys.all.length) {
      const i = next++
      await candidate.set(keys.all[i]!, valueOf(bytes, i))
    }
  }
  await Promise.all(Array.from({ length: 256 }, writer))
  const some = [0, 1, 2]
  assert.deepEqual(
    await candidate.getMany(some.map((i) => keys.all[i]!)),
    some.map((i) => valueOf(bytes, i)),
  )
  return keys
}

/** So many draws of one of `count` keys by Zipf's law, the first of them the most popular; the same in each run. */
function drawn(count: number, draws: number): Uint32Array {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += 1 / (rank + 1) ** zipf.exponent
  let state = 1
  return Uint32Array.from({ length: draws }, () => {
    // A linear congruential generator (Numerical Recipes).
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return search(cumulative, (state / 2 ** 32) * sum)
  })
}

/** The first place whose value is above a wanted one. */
function search(sorted: Float64Array, wanted: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! > wanted) high = middle
    else low = middle + 1
  }
  return low
}
