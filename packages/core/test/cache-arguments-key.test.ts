import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { argumentsKey } from '../src/index.ts'

class Point {
  readonly x: number
  constructor(x: number) {
    this.x = x
  }
}

class Hidden {
  readonly #id: number
  constructor(id: number) {
    this.#id = id
  }
  id(): number {
    return this.#id
  }
}

describe('the key of arguments', () => {
  const kept: [name: string, args: unknown[]][] = [
    ['none', []],
    ['text', ['', 'a', '"quoted"\n', 'undefined', '1n', '\ud800', '\u2028']],
    ['numbers', [0, -0, 1.5, 1e21, -1e-7, Number.MAX_SAFE_INTEGER]],
    ['others', [true, false, null]],
    ['lists', [[], [1, ['two', [null]]]]],
    ['objects', [{}, { a: 1, 'b"': { c: [] } }, JSON.parse('{"__proto__":1,"2":3,"1":2}')]],
    ['objects without a prototype', [Object.assign(Object.create(null), { a: 1 }), Object.create(null)]],
    ['objects of another realm', [runInNewContext('({ a: {}, b: [] })')]],
    ['instances', [new Point(1)]],
    ['dates', [new Date(0), { at: new Date(1) }]],
    ['what has a toJSON', [new URL('http://a/b'), Buffer.from('ab'), { toJSON: () => [1, { a: 'b' }] }]],
  ]
  it.each(kept)('is JSON, where JSON keeps them: %s', (_name, args) => {
    expect(argumentsKey(args)).toBe(JSON.stringify(args))
  })

  it('is another for all that JSON makes null, or drops', () => {
    const told: unknown[][] = [
      [],
      [undefined],
      [null],
      [null, undefined],
      [Number.NaN],
      [Infinity],
      [-Infinity],
      ['undefined'],
      ['NaN'],
      [5],
      [5n],
      ['5n'],
      [[]],
      [[undefined]],
      [[null]],
      [{}],
      [{ a: undefined }],
      [{ a: null }],
      [{ a: 'undefined' }],
    ]
    expect(new Set(told.map(argumentsKey)).size).toBe(told.length)
  })

  it('takes a gap for undefined', () => {
    // oxlint-disable-next-line no-sparse-arrays -- the gap is meant
    expect(argumentsKey([[1, , 2]])).toBe('[[1,undefined,2]]')
  })

  it('counts the order of properties', () => {
    expect(argumentsKey([{ a: 1, b: 2 }])).not.toBe(argumentsKey([{ b: 2, a: 1 }]))
  })

  const cycle: Record<string, unknown> = { secret: 'kept' }
  Object.assign(cycle, { one: { cycle }, two: [cycle] })
  let deep: unknown = 1
  for (let i = 0; i < 101; i++) deep = [deep]

  const refused: [name: string, value: unknown][] = [
    ['a Map', new Map([['secret', 1]])],
    ['a Set', new Set()],
    ['a WeakMap', new WeakMap()],
    ['a promise', Promise.resolve()],
    ['a function', () => 'secret'],
    ['a symbol', Symbol('secret')],
    ['a property named by a symbol', { [Symbol('secret')]: 1 }],
    ['a RegExp', /secret/],
    ['an Error', Object.assign(new Error('secret'), { code: 1 })],
    ['a Map with properties', Object.assign(new Map(), { a: 1 })],
    ['an instance that keeps all to itself', new Hidden(1)],
    ['what inherits all', Object.create({ secret: 1 })],
    ['a typed array', new Float64Array([1])],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a boxed text', Object('secret')],
    ['URLSearchParams', new URLSearchParams('a=secret')],
    ['an invalid Date', new Date(Number.NaN)],
    ['a toJSON that gives undefined', { toJSON: () => undefined }],
    ['a toJSON that gives a Map', { toJSON: () => new Map() }],
    ['a cycle', cycle],
    ['what is nested too deeply', deep],
  ]
  it.each(refused)('is refused for what cannot be told apart, at any depth: %s', (_name, value) => {
    for (const args of [[value], ['a', { b: [value] }], [{ toJSON: () => ({ value }) }]]) {
      const error = errorOf(args)
      expect(error).toMatchObject({ code: 'ERR_HOLDFAST_KEY' })
      expect(error?.message).toContain('give a key function')
      expect(error?.message).not.toContain('secret')
    }
  })

  it('takes what is nested 99 levels deep, and an object that is there twice', () => {
    let nested: unknown = 1
    for (let i = 0; i < 99; i++) nested = [nested]
    const shared = { a: 1 }
    expect(argumentsKey([nested, shared, shared])).toBe(JSON.stringify([nested, shared, shared]))
  })

  it('passes on what a toJSON throws', () => {
    const error = new Error('of the application')
    const throws = (): never => {
      throw error
    }
    expect(errorOf([{ toJSON: throws }])).toBe(error)
  })
})

function errorOf(args: unknown[]): Error | undefined {
  try {
    argumentsKey(args)
    return undefined
  } catch (error) {
    return error as Error
  }
}
