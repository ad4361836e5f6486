import { describe, expect, it } from 'vitest'
import { createNear } from '../src/cache/near.ts'

const maxEntries = 16

function setUp(): {
  near: ReturnType<typeof createNear>
  keep(key: string, freshUntil?: number): void
  pass(ms: number): void
} {
  let time = 1_000
  const near = createNear({ maxEntries, maxAge: 1_000 }, { now: () => time, isOn: () => true })
  return {
    near,
    keep: (key, freshUntil = 0) =>
      near.keep(key, near.begin(), { value: key, generation: 1, tags: [], freshUntil, madeAt: 1 }, 10),
    pass: (ms) => void (time += ms),
  }
}

describe('values near at hand', () => {
  it('stay as long as they are asked for, and give way where they are not', () => {
    const { near, keep } = setUp()
    for (let i = 0; i < maxEntries; i++) keep(`key ${i}`)
    for (let i = 0; i < 4 * maxEntries; i++) {
      expect(near.get('key 0')?.value).toBe('key 0')
      keep(`new ${i}`)
    }
    expect(near.get('key 1')).toBeUndefined()
    expect(near.size()).toBe(maxEntries)
  })

  it('are served until they are not fresh any more, or for as long as nothing can have changed unheard', () => {
    const { near, keep, pass } = setUp()
    keep('fresh', 1_500)
    keep('for ever')
    pass(499)
    expect(near.get('fresh')?.value).toBe('fresh')
    pass(1)
    expect(near.get('fresh')).toBeUndefined()
    pass(499)
    expect(near.get('for ever')?.value).toBe('for ever')
    pass(1)
    expect(near.get('for ever')).toBeUndefined()
    expect(near.size()).toBe(0)
  })
})
