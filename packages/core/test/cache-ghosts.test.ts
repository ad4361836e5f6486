import { describe, expect, it } from 'vitest'
import { createGhosts } from '../src/cache/ghosts.ts'

describe('ghosts', () => {
  it('are taken once', () => {
    const ghosts = createGhosts(1_000)
    ghosts.add('a')
    ghosts.add('b')
    expect(['a', 'c', 'b', 'a', 'b'].map(ghosts.take)).toEqual([true, false, true, false, false])
  })

  it('are most of what was put out lately, and little of what was long ago', () => {
    const ghosts = createGhosts(4_096)
    const add = (from: number, count: number): void => {
      for (let i = from; i < from + count; i++) ghosts.add(`key ${i}`)
    }
    const taken = (from: number, count: number): number => {
      let taken = 0
      for (let i = from; i < from + count; i++) if (ghosts.take(`key ${i}`)) taken++
      return taken
    }
    add(0, 800)
    expect(taken(0, 400)).toBeGreaterThan(320)
    add(1_000, 40_000)
    expect(taken(400, 400)).toBeLessThan(40)
  })

  it('are hardly taken one for another', () => {
    const ghosts = createGhosts(1)
    let mistaken = 0
    for (let i = 0; i < 20_000; i++) {
      if (ghosts.take(`key ${i}`)) mistaken++
      ghosts.add(`key ${i}`)
    }
    expect(mistaken).toBeLessThan(40)
  })
})
