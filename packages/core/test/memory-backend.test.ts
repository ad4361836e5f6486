import { execFileSync } from 'node:child_process'
import { manualClock } from '@holdfast-internal/test-fixtures'
import { describe, expect, it } from 'vitest'
import { versionOf, type Backend } from '../src/backend/backend.ts'
import { createMemoryBackend, type MemoryBackendOptions } from '../src/backend/memory.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const textOf = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()
const closed = { code: 'ERR_HOLDFAST_CLOSED' }

async function collect(backend: Backend, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const batch of backend.scan(prefix)) found.push(...batch)
  return found.toSorted()
}

/** Ends a few turns later, when all that was to be delivered has been. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the memory backend', () => {
  it('says what it is', () => {
    const backend = createMemoryBackend()
    expect(backend.name).toBe('memory')
    expect(backend.capabilities).toEqual({ shared: false, durable: false })
    expect(backend.watch).toBeUndefined()
    expect(backend.reset).toBeUndefined()
  })

  it('gives what was set, alone and among many', async () => {
    const backend = createMemoryBackend()
    expect(await backend.set('a', bytes('1'))).toEqual({ written: true })
    await backend.set('b', bytes('2'))
    expect(textOf(await backend.get('a'))).toBe('1')
    expect(await backend.get('c')).toBeUndefined()
    expect((await backend.getMany(['b', 'c', 'a', 'b'])).map(textOf)).toEqual(['2', undefined, '1', '2'])
    expect(await backend.getMany([])).toEqual([])
  })

  it('gives copies: what is done to them changes nothing', async () => {
    const backend = createMemoryBackend()
    const given = bytes('1')
    await backend.set('a', given)
    given.fill(0)
    const one = await backend.get('a')
    one!.fill(0)
    const [many] = await backend.getMany(['a'])
    many!.fill(0)
    const outcome = await backend.set('a', bytes('2'), { ifAbsent: true })
    if (!outcome.written) outcome.current!.fill(0)
    expect(textOf(await backend.get('a'))).toBe('1')
  })

  it('lets an entry expire to the millisecond', async () => {
    const clock = manualClock()
    const backend = createMemoryBackend({ clock })
    await backend.set('a', bytes('1'), { ttl: 1000 })
    await clock.advance(999)
    expect(textOf(await backend.get('a'))).toBe('1')
    await clock.advance(1)
    expect(await backend.get('a')).toBeUndefined()
  })

  it('tells whether what it touched or deleted was there', async () => {
    const clock = manualClock()
    const backend = createMemoryBackend({ clock })
    await backend.set('a', bytes('1'), { ttl: 10 })
    expect(await backend.touch('a', 100)).toBe(true)
    await clock.advance(99)
    expect(await backend.delete('a')).toBe(true)
    expect(await backend.delete('a')).toBe(false)
    expect(await backend.touch('a', 100)).toBe(false)
    expect(await backend.get('a')).toBeUndefined()
  })

  it('stores where there is nothing, if told to', async () => {
    const clock = manualClock()
    const backend = createMemoryBackend({ clock })
    const ifAbsent = true
    expect(await backend.set('a', bytes('1'), { ifAbsent, ttl: 10 })).toEqual({ written: true })
    expect(await backend.set('a', bytes('2'), { ifAbsent })).toEqual({ written: false, current: bytes('1') })
    expect(textOf(await backend.get('a'))).toBe('1')
    await clock.advance(10)
    expect(await backend.set('a', bytes('3'), { ifAbsent })).toEqual({ written: true })
    expect(textOf(await backend.get('a'))).toBe('3')
  })

  it('stores over a version, if told to', async () => {
    const backend = createMemoryBackend()
    const ifVersion = versionOf(bytes('1'))
    expect(await backend.set('a', bytes('2'), { ifVersion })).toEqual({ written: false, current: undefined })
    expect(await backend.get('a')).toBeUndefined()
    await backend.set('a', bytes('1'))
    expect(await backend.set('a', bytes('2'), { ifVersion })).toEqual({ written: true })
    expect(await backend.set('a', bytes('3'), { ifVersion })).toEqual({ written: false, current: bytes('2') })
    expect(textOf(await backend.get('a'))).toBe('2')
  })

  it('lets one of many win that write at once', async () => {
    const backend = createMemoryBackend()
    const race = (options: object): Promise<number> =>
      Promise.all(Array.from({ length: 20 }, (_, i) => backend.set('a', bytes(`new ${i}`), options))).then(
        (outcomes) => outcomes.filter(({ written }) => written).length,
      )
    expect(await race({ ifAbsent: true })).toBe(1)
    await backend.set('a', bytes('old'))
    expect(await race({ ifVersion: versionOf(bytes('old')) })).toBe(1)
  })

  it.each([0, -1, Number.NaN, Infinity])(
    'refuses a ttl of %d, condition or not, and leaves what is there',
    async (ttl) => {
      const backend = createMemoryBackend()
      await backend.set('a', bytes('1'))
      const refusal = { code: 'ERR_HOLDFAST_OPTION', message: expect.stringContaining('"ttl"') }
      await expect(backend.set('a', bytes('2'), { ttl })).rejects.toMatchObject(refusal)
      await expect(backend.set('a', bytes('2'), { ttl, ifAbsent: true })).rejects.toMatchObject(refusal)
      await expect(backend.touch('a', ttl)).rejects.toMatchObject(refusal)
      expect(textOf(await backend.get('a'))).toBe('1')
    },
  )

  it('gives the keys under a prefix, in batches', async () => {
    const backend = createMemoryBackend()
    const keys = Array.from({ length: 1201 }, (_, i) => `a:${i}`)
    await Promise.all([...keys, 'b', 'a*'].map((key) => backend.set(key, bytes('1'))))
    expect(await collect(backend, 'a:')).toEqual(keys.toSorted())
    expect(await collect(backend, 'a*')).toEqual(['a*'])
    expect(await collect(backend, 'none')).toEqual([])
    for await (const batch of backend.scan('')) expect(batch.length).toBeLessThan(1000)
  })

  it('makes room by letting the least recently used go', async () => {
    const backend = createMemoryBackend({ maxEntries: 2 })
    for (const key of ['a', 'b', 'c']) await backend.set(key, bytes('1'))
    expect(await collect(backend, '')).toEqual(['b', 'c'])
  })

  it('rejects an entry that it has no room for, and keeps what is there', async () => {
    const backend = createMemoryBackend({ maxBytes: '1kB' })
    await backend.set('a', bytes('1'))
    await expect(backend.set('a', Buffer.alloc(1024))).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_VALUE_TOO_LARGE',
    })
    expect(textOf(await backend.get('a'))).toBe('1')
  })

  it('holds 50,000 entries by default', async () => {
    const backend = createMemoryBackend()
    for (let i = 0; i <= 50_000; i++) await backend.set(String(i), bytes('1'))
    expect(await backend.get('0')).toBeUndefined()
    expect(textOf(await backend.get('1'))).toBe('1')
  })

  it.each<MemoryBackendOptions>([{ maxEntries: 0 }, { maxBytes: 'much' }, { maxBytes: 100 }])(
    'refuses %j',
    (options) => {
      expect(() => createMemoryBackend(options)).toThrow(`"${Object.keys(options)[0]}"`)
    },
  )

  it('answers a ping', async () => {
    await expect(createMemoryBackend().ping()).resolves.toBeUndefined()
  })

  it('lets the process exit', () => {
    const module = JSON.stringify(new URL('../src/backend/memory.ts', import.meta.url).href)
    const script = `const { createMemoryBackend } = await import(${module})
      const backend = createMemoryBackend()
      await backend.set('a', new Uint8Array(1), { ttl: 1e9 })
      await backend.subscribe('c', () => {})
      console.log('done')`
    const args = ['--conditions=@holdfast/source', '--input-type=module', '--eval', script]
    expect(execFileSync(process.execPath, args, { timeout: 10_000, encoding: 'utf8' })).toBe('done\n')
  })
})

describe('messages in the memory backend', () => {
  it('reach all who listen on the channel, in order, and nobody else', async () => {
    const backend = createMemoryBackend()
    const heard: string[] = []
    await backend.subscribe('news', (message) => heard.push(`one ${textOf(message)}`))
    await backend.subscribe('news', (message) => heard.push(`two ${textOf(message)}`))
    await backend.subscribe('other', () => heard.push('never'))
    await backend.publish('news', bytes('1'))
    await backend.publish('news', bytes('2'))
    await settled()
    expect(heard).toEqual(['one 1', 'two 1', 'one 2', 'two 2'])
  })

  it('are delivered after the publisher went on', async () => {
    const backend = createMemoryBackend()
    const order: string[] = []
    await backend.subscribe('news', () => order.push('heard'))
    const published = backend.publish('news', bytes('1'))
    order.push('went on')
    await published
    await settled()
    expect(order).toEqual(['went on', 'heard'])
  })

  it("are each listener's own copy, of what was published", async () => {
    const backend = createMemoryBackend()
    const heard: (string | undefined)[] = []
    const listen = (message: Uint8Array): void => {
      heard.push(textOf(message))
      message.fill(0)
    }
    await backend.subscribe('news', listen)
    await backend.subscribe('news', listen)
    const message = bytes('1')
    const published = backend.publish('news', message)
    message.fill(0)
    await published
    await settled()
    expect(heard).toEqual(['1', '1'])
  })

  it('reach the others though one listener throws, and the publisher does not hear of it', async () => {
    const backend = createMemoryBackend()
    const heard: string[] = []
    await backend.subscribe('news', () => {
      throw new Error('listener')
    })
    await backend.subscribe('news', () => heard.push('second'))
    await expect(backend.publish('news', bytes('1'))).resolves.toBeUndefined()
    await settled()
    expect(heard).toEqual(['second'])
  })

  it('stop with the subscription, at once; that of another with the same listener goes on', async () => {
    const backend = createMemoryBackend()
    let heard = 0
    const listener = (): void => void heard++
    const first = await backend.subscribe('news', listener)
    await backend.subscribe('news', listener)
    const published = backend.publish('news', bytes('1'))
    await Promise.all([first.close(), first.close(), published])
    await settled()
    expect(heard).toBe(1)
  })

  it('stop and start again with a new subscription', async () => {
    const backend = createMemoryBackend()
    let heard = 0
    const first = await backend.subscribe('news', () => heard++)
    await first.close()
    await backend.subscribe('news', () => heard++)
    await first.close()
    await backend.publish('news', bytes('1'))
    await settled()
    expect(heard).toBe(1)
  })
})

describe('a closed memory backend', () => {
  it.each<[string, (backend: Backend) => Promise<unknown>]>([
    ['get', (backend) => backend.get('a')],
    ['getMany', (backend) => backend.getMany(['a'])],
    ['getMany of none', (backend) => backend.getMany([])],
    ['set', (backend) => backend.set('a', bytes('1'))],
    ['delete', (backend) => backend.delete('a')],
    ['touch', (backend) => backend.touch('a', 1)],
    ['scan', (backend) => collect(backend, '')],
    ['publish', (backend) => backend.publish('news', bytes('1'))],
    ['subscribe', (backend) => backend.subscribe('news', () => {})],
    ['ping', (backend) => backend.ping()],
  ])('rejects %s', async (_, call) => {
    const backend = createMemoryBackend()
    await backend.set('a', bytes('1'))
    await backend.close()
    await expect(call(backend)).rejects.toMatchObject(closed)
  })

  it('may be closed again, and its subscriptions too', async () => {
    const backend = createMemoryBackend()
    const subscription = await backend.subscribe('news', () => {})
    await backend.close()
    await expect(backend.close()).resolves.toBeUndefined()
    await expect(subscription.close()).resolves.toBeUndefined()
  })

  it('ends a scan under way', async () => {
    const backend = createMemoryBackend()
    await Promise.all(Array.from({ length: 1200 }, (_, i) => backend.set(String(i), bytes('1'))))
    const batches = backend.scan('')[Symbol.asyncIterator]()
    await batches.next()
    await backend.close()
    await expect(batches.next()).rejects.toMatchObject(closed)
  })

  it('delivers nothing any more', async () => {
    const backend = createMemoryBackend()
    let heard = 0
    await backend.subscribe('news', () => heard++)
    const published = backend.publish('news', bytes('1'))
    await Promise.all([published, backend.close()])
    await settled()
    expect(heard).toBe(0)
  })
})
