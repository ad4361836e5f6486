import { describe, expect, it } from 'vitest'
import { createHoldfast, createMemoryBackend, type Backend } from '../src/index.ts'

const create = (backend: unknown): unknown => createHoldfast({ backend: backend as Backend, logger: false })

describe('the option "backend"', () => {
  const memory = createMemoryBackend()
  const without = (name: string): object => ({ ...memory, [name]: undefined })

  it.each([
    ['nothing', {}],
    ['null', null],
    ['a function', () => memory],
    ['text', 'redis://user:s3cret@host'],
    ['one without a name', without('name')],
    ['one without capabilities', without('capabilities')],
    ...['get', 'getMany', 'set', 'delete', 'touch', 'scan', 'publish', 'subscribe', 'ping', 'close'].map(
      (name): [string, object] => [`one without ${name}`, without(name)],
    ),
  ])('is refused where it is none: %s', (_what, backend) => {
    const message = expect.stringMatching(/"backend" must be a backend, .*; got (?!.*s3cret)/)
    expect(() => create(backend)).toThrow(expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION', message }))
  })

  it('may be of a class, and without what is optional', async () => {
    const { name, capabilities, get, getMany, set, touch, scan, publish, subscribe, ping } = memory
    const methods = { get, getMany, set, delete: memory.delete, touch, scan, publish, subscribe, ping }
    // As an instance has them of its class.
    const backend: Backend = Object.create({ name, capabilities, ...methods, close: async () => undefined })
    const holdfast = createHoldfast({ backend, logger: false })
    expect(await holdfast.cache().set('foo', 1)).toBe(true)
    await holdfast.close()
  })
})
