import { manualClock } from '@holdfast-internal/test-fixtures'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createDeadlines, type Deadline } from '../src/availability/deadlines.ts'

function setUp(timeout = 200) {
  const clock = manualClock()
  const deadlines = createDeadlines({ timeout, clock })
  const expired: string[] = []
  const start = (name: string, onExpire = () => {}): Deadline => {
    const deadline: Deadline = {
      settled: false,
      expires: 0,
      onExpire() {
        expired.push(name)
        onExpire()
      },
    }
    deadlines.start(deadline)
    return deadline
  }
  return { clock, deadlines, expired, start }
}

describe('deadlines', () => {
  it('expire a call between the timeout and a tenth more', async () => {
    const { clock, expired, start } = setUp(200)
    start('a')
    await clock.advance(199)
    expect(expired).toEqual([])
    await clock.advance(22)
    expect(expired).toEqual(['a'])
  })

  it('leave a call alone that was met, and tell a late one that it is late', async () => {
    const { clock, deadlines, expired, start } = setUp(200)
    const met = start('met')
    const late = start('late')
    expect(deadlines.meet(met)).toBe(true)
    await clock.advance(300)
    expect(expired).toEqual(['late'])
    expect(deadlines.meet(late)).toBe(false)
  })

  it('give each call its own time, whenever it began', async () => {
    const { clock, expired, start } = setUp(200)
    start('first')
    await clock.advance(100)
    start('second')
    await clock.advance(125)
    expect(expired).toEqual(['first'])
    await clock.advance(100)
    expect(expired).toEqual(['first', 'second'])
  })

  it('keep nothing alive of what is over', async () => {
    const { clock, deadlines, start } = setUp(200)
    const answers: WeakRef<object>[] = []
    function begin(): Deadline {
      const answer = { value: 'large' }
      answers.push(new WeakRef(answer))
      return start('met', () => void answer)
    }
    const waiting = begin()
    for (let i = 0; i < 100; i++) deadlines.meet(begin())
    deadlines.meet(waiting)
    begin()
    await clock.advance(300)
    const stillWaiting = begin()
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
    expect(answers.filter((answer) => answer.deref() !== undefined)).toHaveLength(2)
    expect([waiting, stillWaiting].map(({ settled }) => settled)).toEqual([true, false])
  })

  it('expire everything under way at once when asked to', () => {
    const { deadlines, expired, start } = setUp()
    start('a')
    start('b')
    deadlines.expireAll()
    expect(expired).toEqual(['a', 'b'])
  })

  it('survive a call that expires others', async () => {
    const { clock, deadlines, expired, start } = setUp(200)
    start('a', () => deadlines.expireAll())
    start('b')
    await clock.advance(300)
    expect(expired).toEqual(['a', 'b'])
  })

  it('hold on to nothing once all calls are met', async () => {
    const { clock, deadlines, expired, start } = setUp(200)
    for (let i = 0; i < 5_000; i++) {
      const call = start(`call ${i}`)
      if (i % 7) deadlines.meet(call)
      if (i % 100 === 0) await clock.advance(10)
    }
    await clock.advance(1_000)
    expect(expired).toHaveLength(Math.ceil(5_000 / 7))
  })
})
