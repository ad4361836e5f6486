import { describe, expect, it } from 'vitest'
import { createDoorkeeper } from '../src/cache/doorkeeper.ts'

describe('a doorkeeper', () => {
  it('knows a key the second time', () => {
    const doorkeeper = createDoorkeeper(1_000)
    expect(['a', 'b', 'a', 'b', 'a'].map((key) => doorkeeper.knows(key))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })

  it('remembers most of what was asked for lately, and little of what was long ago', () => {
    const doorkeeper = createDoorkeeper(4_096)
    const known = (from: number): number => {
      let count = 0
      for (let i = from; i < from + 400; i++) if (doorkeeper.knows(`key ${i}`)) count++
      return count
    }
    expect(known(0)).toBeLessThan(40)
    expect(known(0)).toBeGreaterThan(360)
    for (let i = 1_000; i < 41_000; i++) doorkeeper.knows(`key ${i}`)
    expect(known(0)).toBeLessThan(40)
  })

  it('hardly takes one key for another', () => {
    const doorkeeper = createDoorkeeper(1)
    let mistaken = 0
    for (let i = 0; i < 20_000; i++) if (doorkeeper.knows(`key ${i}`)) mistaken++
    expect(mistaken).toBeLessThan(40)
  })
})
