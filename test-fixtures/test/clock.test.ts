import { describe, expect, it } from 'vitest'
import { eventually, manualClock } from '../src/index.ts'

describe('a manual clock', () => {
  it('stands still until it is moved', async () => {
    const clock = manualClock()
    expect(clock.now()).toBe(1_700_000_000_000)
    await clock.advance(5)
    expect(clock.now()).toBe(1_700_000_000_005)
    expect(manualClock(0).now()).toBe(0)
  })

  it('fires timers in order, each at its time, but none that was cancelled', async () => {
    const clock = manualClock(0)
    const fired: [string, number][] = []
    const timer = (name: string, ms: number) =>
      clock.setTimeout(() => void fired.push([name, clock.now()]), ms)
    timer('late', 20)
    timer('early', 10)
    timer('as early', 10)
    timer('never', 15).cancel()
    timer('too late', 31)
    await clock.advance(30)
    expect(fired).toEqual([
      ['early', 10],
      ['as early', 10],
      ['late', 20],
    ])
  })

  it('lets what a timer sets going have its turn before the next, and fires timers set meanwhile', async () => {
    const clock = manualClock(0)
    const log: string[] = []
    const work = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      log.push('promised')
      clock.setTimeout(() => log.push('set meanwhile'), 2)
    }
    clock.setTimeout(() => void work(), 10)
    clock.setTimeout(() => log.push('second'), 20)
    await clock.advance(20)
    expect(log).toEqual(['promised', 'set meanwhile', 'second'])
  })
})

describe('eventually', () => {
  it('gives what the check gives once it has stopped throwing', async () => {
    let tries = 0
    const check = async (): Promise<string> => {
      if (++tries < 3) throw new Error('not yet')
      return 'there'
    }
    expect(await eventually(check, { every: 1 })).toBe('there')
    expect(tries).toBe(3)
  })

  it('throws what the check last threw', async () => {
    let tries = 0
    const check = (): never => {
      throw new Error(`try ${++tries}`)
    }
    await expect(eventually(check, { within: 20, every: 5 })).rejects.toThrow(/try [2-9]/)
  })
})
