import { LRUCache } from 'lru-cache'
import { describe, expect, it } from 'vitest'
import { createS3Fifo } from '../src/cache/s3-fifo.ts'

const maxEntries = 1_000
const reads = 200_000

describe('a store by S3-FIFO', () => {
  it('gives what was put in, and forgets what is deleted', () => {
    const store = createS3Fifo<number>(10, 1_000)
    store.set('a', 1, 10)
    store.set('b', 2, 20)
    store.set('a', 3, 30)
    expect([store.get('a'), store.get('b'), store.get('c')]).toEqual([3, 2, undefined])
    expect([store.size(), store.bytes()]).toEqual([2, 50])
    store.delete('a')
    store.delete('never there')
    expect([store.get('a'), store.size(), store.bytes()]).toEqual([undefined, 1, 20])
    store.clear()
    expect([store.get('b'), store.size(), store.bytes()]).toEqual([undefined, 0, 0])
  })

  it('stays within its bounds, whatever is done with it', () => {
    const random = randomOf(1)
    const store = createS3Fifo<string>(50, 2_000)
    const kept = new Map<string, number>()
    for (let i = 0; i < 20_000; i++) {
      const key = `key ${random(200)}`
      const bytes = 1 + random(150)
      const dice = random(100)
      if (dice < 40) {
        store.set(key, key, bytes)
        kept.set(key, bytes)
      } else if (dice < 95) store.get(key)
      else if (dice < 99) store.delete(key)
      else if (random(20) === 0) store.clear()
      expect(store.size()).toBeLessThanOrEqual(50)
      expect(store.bytes()).toBeLessThanOrEqual(2_000)
    }
    const left = [...kept].filter(([key]) => store.get(key) === key)
    expect(left).toHaveLength(store.size())
    expect(left.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(store.bytes())
  })

  it('does not keep what is larger than all its room, nor what that would have replaced', () => {
    const store = createS3Fifo<string>(10, 100)
    store.set('a', 'small', 10)
    store.set('a', 'large', 101)
    expect([store.get('a'), store.size(), store.bytes()]).toEqual([undefined, 0, 0])
    store.set('a', 'all of it', 100)
    expect(store.get('a')).toBe('all of it')
  })

  it('keeps what is in use while others pass through', () => {
    const store = createS3Fifo<number>(maxEntries, Infinity)
    for (let i = 0; i < maxEntries / 2; i++) store.set(`used ${i}`, i, 1)
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < maxEntries / 2; i++) expect(store.get(`used ${i}`)).toBe(i)
      for (let i = 0; i < 2 * maxEntries; i++) store.set(`once ${round} ${i}`, i, 1)
    }
  })

  it('remembers what it put out, and keeps it longer when it comes again', () => {
    const store = createS3Fifo<number>(maxEntries, Infinity)
    const pass = (name: string): void => {
      for (let i = 0; i < maxEntries; i++) store.set(`${name} ${i}`, i, 1)
    }
    pass('before')
    store.set('again', 1, 1)
    pass('between')
    expect(store.get('again')).toBeUndefined()
    store.set('again', 2, 1)
    pass('after')
    expect(store.get('again')).toBe(2)
  })

  it('puts out what was in use once it is not any more', () => {
    const store = createS3Fifo<number>(maxEntries, Infinity)
    const use = (name: string, times: number): number => {
      let hits = 0
      for (let time = 0; time < times; time++) {
        for (let i = 0; i < maxEntries / 2; i++) {
          if (store.get(`${name} ${i}`) === undefined) store.set(`${name} ${i}`, i, 1)
          else hits++
        }
      }
      return hits
    }
    use('old', 10)
    use('new', 10)
    use('newest', 10)
    expect(use('newest', 1)).toBe(maxEntries / 2)
    store.set('one', 1, 1)
    expect(store.size()).toBe(maxEntries)
  })

  it('keeps what is renewed where it was', () => {
    const store = createS3Fifo<number>(maxEntries, Infinity)
    const pass = (name: string): void => {
      for (let i = 0; i < 2 * maxEntries; i++) store.set(`${name} ${i}`, i, 1)
    }
    store.set('in use', 1, 1)
    store.get('in use')
    pass('before')
    store.set('in use', 2, 1)
    pass('after')
    expect(store.get('in use')).toBe(2)
  })

  it('does not search all that is in use for what is not', () => {
    const store = createS3Fifo<number>(maxEntries, Infinity)
    const keys = Array.from({ length: maxEntries }, (_, i) => `key ${i}`)
    const missing = (): string[] => keys.filter((key) => store.get(key) === undefined)
    for (const key of keys) store.set(key, 1, 1)
    for (let i = 0; i < 3; i++) expect(missing()).toEqual([])
    store.set('one more', 1, 1)
    const [gone, ...others] = missing()
    expect(others).toEqual([])
    for (let i = 0; i < 3; i++) expect(missing()).toEqual([gone])
    store.set('another', 1, 1)
    const [next] = missing().filter((key) => key !== gone)
    expect(keys.indexOf(next!)).toBeLessThan(100)
  })

  // In points of the share that is served.
  it.each([
    ['popularity stays', 6, (draw: number) => draw],
    ['popularity drifts', 5, (draw: number, i: number) => draw + Math.floor(i / 500)],
    ['all becomes another', 2, (draw: number, i: number) => draw + Math.floor(i / 40_000) * 10_000],
    ['a third is asked for once', 9, (draw: number, i: number) => (i % 3 === 0 ? 1e6 + i : draw)],
    ['the newest is asked for most', -4, (draw: number, i: number) => 1e6 + Math.floor(i / 4) - draw],
  ])('stands to LRU as it should where %s', (_, ahead, keyOf) => {
    const zipf = zipfOf(10_000, 0.99)
    const store = createS3Fifo<number>(maxEntries, Infinity)
    const lru = new LRUCache<string, number>({ max: maxEntries })
    const hits = { store: 0, lru: 0 }
    for (let i = 0; i < reads; i++) {
      const key = String(keyOf(zipf(), i))
      if (store.get(key) === undefined) store.set(key, i, 1)
      else hits.store++
      if (lru.get(key) === undefined) lru.set(key, i)
      else hits.lru++
    }
    expect((100 * (hits.store - hits.lru)) / reads).toBeGreaterThan(ahead)
  })
})

/** A linear congruential generator (Numerical Recipes) of whole numbers below a bound. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Draws one of so many, the first of them the most popular. */
function zipfOf(count: number, exponent: number): () => number {
  const cumulative: number[] = []
  let sum = 0
  for (let rank = 1; rank <= count; rank++) cumulative.push((sum += 1 / rank ** exponent))
  const random = randomOf(1)
  return () => {
    const wanted = (random(2 ** 31) / 2 ** 31) * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
}
