import { eventually } from '@holdfast-internal/test-fixtures'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { degraded, fleetOfTests, healthy } from './cache-fleet.ts'

const { redis, prefix, start } = fleetOfTests()
const down = (): never => {
  throw new Error('down')
}

describe('a grace', () => {
  it('ends when it should, however often the factory fails', async () => {
    const { cache } = await start({ ttl: 100, grace: 600, lease: 200 })
    await cache.set('key', 'old')
    const until = Date.now() + 750
    await pause(150)
    while (Date.now() < until) {
      await cache.getOrSet('key', down).catch(() => undefined)
      await pause(20)
    }
    await expect(cache.getOrSet('key', down)).rejects.toThrow('down')
    expect(await cache.get('key')).toBeUndefined()
  })
})

describe('a lease', () => {
  it('is given back where the value is too large to store', async () => {
    const [a, b] = [await start({ limits: { value: '1kB' } }), await start({ limits: { value: '1kB' } })]
    const large = 'x'.repeat(5_000)
    expect(await a.cache.getOrSet('key', () => large)).toBe(large)
    const began = Date.now()
    expect(await b.cache.getOrSet('key', () => large)).toBe(large)
    expect(Date.now() - began).toBeLessThan(1_000)
  })

  it('is not waited for again and again where factories give nothing', async () => {
    const fleet = await Promise.all(Array.from({ length: 6 }, () => start()))
    const factory = (): Promise<undefined> => pause(300)
    const began = Date.now()
    await Promise.all(fleet.map(({ cache }) => cache.getOrSet('key', factory)))
    // The first one, and then all the others at once; one after the other would take 1,800 ms.
    expect(Date.now() - began).toBeLessThan(1_200)
  })

  it('of a process that is gone goes to one other', async () => {
    const [gone, ...others] = await Promise.all(Array.from({ length: 4 }, () => start({ lease: 400 })))
    void gone!.cache.getOrSet('key', () => new Promise(() => undefined))
    await pause(50)
    const factory = vi.fn<() => Promise<string>>(async () => {
      await pause(100)
      return 'made'
    })
    const all = await Promise.all(others.map(({ cache }) => cache.getOrSet('key', factory)))
    expect(all).toEqual(['made', 'made', 'made'])
    expect(factory).toHaveBeenCalledTimes(1)
  })
})

describe('to expire an entry', () => {
  it('in the quarantine after an outage is not forgotten after it', async () => {
    const { cache, holdfast, proxy } = await start({ quarantine: 500, grace: '1h' })
    await cache.set('key', 'old')
    await proxy.refuse()
    await degraded({ cache, holdfast, proxy })
    await proxy.restore()
    await healthy({ cache, holdfast, proxy })
    await cache.expire('key')
    await pause(600)
    expect(await cache.get('key')).toBeUndefined()
  })

  it('voids what another process makes meanwhile', async () => {
    const [a, b] = [await start(), await start()]
    const begun = Promise.withResolvers<void>()
    const going = Promise.withResolvers<void>()
    const made = a.cache.getOrSet('key', async () => {
      begun.resolve()
      await going.promise
      return 'from before'
    })
    await begun.promise
    await b.cache.expire('key')
    going.resolve()
    expect(await made).toBe('from before')
    expect(await b.cache.get('key')).toBeUndefined()
  })
})

describe('a value that another process removed while Redis was there', () => {
  it('is not served in the outage after, where there is a near cache', async () => {
    const [a, b] = [await start({ near: true }), await start({ near: true })]
    await a.cache.set('key', 'secret', { grace: '1h' })
    await eventually(async () => expect(await b.cache.get('key')).toBe('secret'))
    await a.cache.delete('key')
    await eventually(async () => expect(await b.cache.get('key')).toBeUndefined())
    await b.proxy.refuse()
    await degraded(b)
    expect(await b.cache.get('key')).toBeUndefined()
  })
})

describe('factories', () => {
  it('that ask for other values do not wait for their own places while Redis is away', async () => {
    const fleet = await start({ factories: { max: 4, waiting: 100, patience: 1_000 } })
    await fleet.proxy.refuse()
    await degraded(fleet)
    const { cache } = fleet
    const part = (id: number): Promise<string> =>
      cache.getOrSet(`part ${id}`, async () => {
        await pause(5)
        return `part ${id}`
      })
    const page = (id: number): Promise<string> =>
      cache.getOrSet(`page ${id}`, async () => `${id}: ${await part(id % 3)} ${await part(100 + id)}`)
    // Some parts are asked for by others as well, who wait for their turn.
    const all = [...Array(60).keys()].flatMap((id) => [page(id), part(id % 3)])
    expect((await Promise.all(all)).every((text) => text.includes('part'))).toBe(true)
    expect(cache.statistics().factories.refused).toBe(0)
  })

  it('keep their place for as long as they run, also past their hard timeout', async () => {
    const own = { factories: { max: 3, waiting: 100, patience: 100 }, hardTimeout: 30 }
    const fleet = await start(own)
    await fleet.proxy.refuse()
    await degraded(fleet)
    let running = 0
    let most = 0
    const slow = async (): Promise<string> => {
      most = Math.max(most, ++running)
      await pause(400)
      running--
      return 'late'
    }
    const calls = [...Array(12).keys()].map((id) => fleet.cache.getOrSet(`key ${id}`, slow))
    const codes = (await Promise.allSettled(calls)).map(
      (call) => call.status === 'rejected' && (call.reason as { code: string }).code,
    )
    expect(most).toBe(3)
    expect(new Set(codes)).toEqual(new Set(['ERR_HOLDFAST_FACTORY_TIMEOUT']))
  })

  it('are waited for no longer than the caller wants, wherever they run', async () => {
    const [a, b] = [await start(), await start()]
    const slow = async (): Promise<string> => {
      await pause(500)
      return 'slow'
    }
    const made = a.cache.getOrSet('key', slow)
    await pause(50)
    const began = Date.now()
    const timedOut = { code: 'ERR_HOLDFAST_FACTORY_TIMEOUT' }
    await Promise.all([
      expect(a.cache.getOrSet('key', slow, { hardTimeout: 50 })).rejects.toMatchObject(timedOut),
      expect(b.cache.getOrSet('key', slow, { hardTimeout: 50 })).rejects.toMatchObject(timedOut),
    ])
    expect(Date.now() - began).toBeLessThan(300)
    expect(await made).toBe('slow')
  })

  it('that ask for their own key are told so, instead of waiting for ever', async () => {
    const { cache } = await start()
    const own = cache.getOrSet('key', () =>
      cache.getOrSet('other', () => cache.getOrSet('key', () => 'never')),
    )
    await expect(own).rejects.toMatchObject({ code: 'ERR_HOLDFAST_OPTION' })
    await eventually(async () => expect(await redis().control.command('EXISTS', `${prefix()}key`)).toBe(0))
  })
})
