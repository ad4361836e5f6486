import { eventually, manualClock } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createQuarantine } from '../src/cache/quarantine.ts'
import { degraded, fleetOfTests, healthy } from './cache-fleet.ts'

describe('the quarantine after an outage', () => {
  function setUp(length = 1_000) {
    const clock = manualClock()
    const others = { areSettling: false, asked: 0, answerTime: 0 }
    const quarantine = createQuarantine({
      length,
      clock,
      async areOthersSettling() {
        others.asked++
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, others.answerTime))
        return others.areSettling
      },
    })
    return { clock, others, quarantine }
  }

  it('holds what is older than the recovery, for its length', async () => {
    const { clock, quarantine, others } = setUp()
    const before = clock.now()
    expect(quarantine.isOn()).toBe(false)
    await clock.advance(10)
    quarantine.begin()
    expect([quarantine.holds(before), quarantine.holds(clock.now())]).toEqual([true, false])
    await clock.advance(999)
    expect(quarantine.holds(before)).toBe(true)
    await clock.advance(1)
    expect([quarantine.isOn(), quarantine.holds(before)]).toEqual([false, false])
    expect(others.asked).toBe(1)
  })

  it('lasts as long as others settle, and once more', async () => {
    const { clock, quarantine, others } = setUp()
    const before = clock.now() - 1
    quarantine.begin()
    others.areSettling = true
    for (let second = 0; second < 5; second++) {
      await clock.advance(1_000)
      expect(quarantine.holds(before)).toBe(true)
    }
    others.areSettling = false
    await clock.advance(1_000)
    expect(quarantine.isOn()).toBe(false)
  })

  it('does not end before it was asked whether others settle, however late this process gets to it', async () => {
    const { clock, quarantine, others } = setUp()
    others.areSettling = true
    quarantine.begin()
    for (let second = 0; second < 5; second++) {
      clock.standStill(1_500)
      expect(quarantine.isOn()).toBe(true)
      await clock.advance(0)
      expect(others.asked).toBe(second + 1)
    }
    others.areSettling = false
    clock.standStill(1_500)
    await clock.advance(0)
    expect(quarantine.isOn()).toBe(false)
  })

  it('does not end before the answer is there, unless that never comes', async () => {
    const { clock, quarantine, others } = setUp()
    others.answerTime = 500
    quarantine.begin()
    await clock.advance(1_200)
    expect(quarantine.isOn()).toBe(true)
    await clock.advance(200)
    expect(quarantine.isOn()).toBe(false)
    others.answerTime = Infinity
    quarantine.begin()
    await clock.advance(29_000)
    expect(quarantine.isOn()).toBe(true)
    await clock.advance(1_001)
    expect(quarantine.isOn()).toBe(false)
  })

  it('ends though others never do', async () => {
    const { clock, quarantine, others } = setUp()
    quarantine.begin()
    others.areSettling = true
    await clock.advance(29_000)
    expect(quarantine.isOn()).toBe(true)
    await clock.advance(3_000)
    expect(quarantine.isOn()).toBe(false)
    const { asked } = others
    await clock.advance(60_000)
    expect(others.asked).toBe(asked)
  })

  it('asks nobody where it is off, or closed', async () => {
    const off = setUp(0)
    off.quarantine.begin()
    expect(off.quarantine.isOn()).toBe(false)
    const closed = setUp()
    closed.quarantine.begin()
    closed.quarantine.close()
    await Promise.all([off.clock.advance(5_000), closed.clock.advance(5_000)])
    expect([off.others.asked, closed.others.asked]).toEqual([0, 0])
  })
})

describe('a process that has much to settle', () => {
  const { redis, start } = fleetOfTests()
  const marks = (): Promise<unknown> => redis().control.command('KEYS', '*:settling:*')

  it('is waited for by the others, which serve nothing that it has removed', async () => {
    const [slow, quick] = await Promise.all([start(), start({ quarantine: 250 })])
    const keys = Array.from({ length: 3_000 }, (_, i) => `key ${i}`)
    await slow.cache.setMany(keys.map((key) => ({ key, value: 'old' })))
    for (const process of [slow, quick]) await process.proxy.refuse()
    await Promise.all([degraded(slow), degraded(quick)])
    await slow.cache.deleteMany(keys)
    await slow.proxy.restore()
    slow.proxy.delay(80)
    await eventually(async () => expect(await marks()).toHaveLength(1))
    await quick.proxy.restore()
    await healthy(quick)
    const began = performance.now()
    let late = 0
    let isDone = false
    const settled = healthy(slow).then(() => (isDone = true))
    while (!isDone) {
      const found = await quick.cache.getMany(keys)
      expect(found.filter((value) => value !== undefined)).toEqual([])
      if (performance.now() - began > 250) late++
      await pause(10)
    }
    await settled
    expect(late, 'looks after the quarantine would have been over').toBeGreaterThan(0)
    expect(await marks()).toEqual([])
  })
})
