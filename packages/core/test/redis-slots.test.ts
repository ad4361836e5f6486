import { describe, expect, it } from 'vitest'
import { positionsBySlot, slotOf } from '../src/backend/redis/slots.ts'

describe('slotOf', () => {
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['', 0],
    ['{user1000}.following', slotOf('user1000')],
    ['foo{}{bar}', slotOf('foo{}{bar}')],
    ['foo{{bar}}zap', slotOf('{bar')],
    ['foo{bar}{zap}', slotOf('bar')],
  ])('puts %j where Redis does', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })

  it('does not take an empty tag for one', () => {
    expect(slotOf('a{}')).not.toBe(slotOf('b{}'))
  })
})

describe('positionsBySlot', () => {
  it('keeps keys of one slot together', () => {
    expect(positionsBySlot(['{a}1', 'b', '{a}2'])).toEqual([[0, 2], [1]])
  })
})
