import { createHoldfast } from '@holdfast/core'
import { Keyv as Keyv5, type KeyvStoreAdapter } from 'keyv'
import { Keyv as Keyv6, type KeyvStorageAdapter } from 'keyv-6'
import { describe, expect, it } from 'vitest'
import { KeyvHoldfast, type KeyvHoldfastOptions } from '../src/index.ts'
import { entriesOf, onEach } from './grounds.ts'

describe('the storage adapter', () => {
  onEach((ground) => {
    const on = (options: KeyvHoldfastOptions = {}): KeyvHoldfast =>
      new KeyvHoldfast({ holdfast: ground.holdfast, ...options })

    it('is what Keyv 5 and Keyv 6 declare', () => {
      const of5: KeyvStoreAdapter = on()
      const of6: KeyvStorageAdapter = on()
      expect([of5, of6]).toHaveLength(2)
    })

    it.each([
      ['text', 'bar'],
      ['no text', ''],
      ['a Buffer', Buffer.from([0, 159, 255])],
      ['bytes', Uint8Array.of(1, 2, 3)],
      ['an object', { value: { a: [1, null, 'x'] }, expires: undefined }],
      ['what JSON does not keep', { value: [new Date(5), new Map([[1, Buffer.from('x')]]), 5n, undefined] }],
      ['a DataView', new DataView(Uint8Array.of(1, 2).buffer)],
      ['null', null],
    ])('gives back %s', async (_what, value) => {
      const store = on({ namespace: 'values' })
      expect(await store.set('foo', value)).toBe(true)
      expect(await store.get('foo')).toStrictEqual(value)
      expect(await store.getMany(['foo', 'none'])).toStrictEqual([value, undefined])
    })

    it('does not keep undefined, and refuses what has no copy', async () => {
      const store = on({ namespace: 'values' })
      await expect(store.set('foo', { value: () => 1 })).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_NOT_SERIALISABLE',
      })
    })

    it('hands out values that a caller may change, also where they are kept near', async () => {
      const store = on({ namespace: 'near', near: true })
      await store.set('foo', { value: { n: 1, bytes: Buffer.from('a') } })
      await store.set('bytes', Buffer.from('a'))
      for (let i = 0; i < 3; i++) {
        const { value } = (await store.get<{ value: { n: number; bytes: Buffer } }>('foo'))!
        expect(value).toEqual({ n: 1, bytes: Buffer.from('a') })
        value.n++
        value.bytes.write('b')
        const bytes = (await store.get<Buffer>('bytes'))!
        expect(bytes.toString()).toBe('a')
        bytes.write('b')
      }
    })

    it('gives every key a place of its own, in every namespace', async () => {
      const long = 'k'.repeat(2_000)
      const keys = [
        '',
        '#',
        '#x',
        ':',
        ':x',
        '=',
        '=x',
        'a',
        'a:',
        'a:a',
        'a:b',
        'a:a:b',
        'b',
        '*',
        '\ud800',
        '\ud801',
        long,
        `a:${long}`,
      ]
      const names = [
        undefined,
        'a',
        'a:a',
        'a:',
        ':',
        ':a',
        '%3A',
        'a%3Aa',
        '*',
        '#',
        'A',
        'ä',
        '\ud800',
        '\ud801',
        long,
        `${long}k`,
      ]
      const stores = names.map((namespace) => on({ namespace }))
      const all = stores.flatMap((store, n) => keys.map((key) => ({ store, key, value: `${n} ${key}` })))
      await Promise.all(all.map(({ store, key, value }) => store.set(key, value)))
      const seen = await Promise.all(all.map(({ store, key }) => store.get(key)))
      expect(seen).toEqual(all.map(({ value }) => value))

      for (const [n, store] of stores.entries()) {
        const listed = await entriesOf(store.iterator())
        const short = keys.filter((key) => key.length < 500 && key.isWellFormed())
        const expected = new Map(short.map((key) => [key, `${n} ${key}`]))
        // In memory there is no index, and hashed keys are not listed either.
        expect(listed).toEqual(expected)
      }
      await stores[1]!.clear()
      const left = await Promise.all(all.map(({ store, key }) => store.get(key)))
      expect(left).toEqual(all.map(({ store, value }) => (store === stores[1] ? undefined : value)))
    })

    it('puts the namespace before a key once, where Keyv 5 has put it there already', async () => {
      const store = on()
      const keyv = new Keyv5({ store, namespace: 'five' })
      await keyv.set('foo', 1)
      await keyv.set('bar', 2)
      expect(store.namespace).toBe('five')
      expect(await store.getMany(['five:foo', 'foo'])).toEqual(['{"value":1}', undefined])
      expect(await entriesOf(keyv.iterator!(undefined))).toEqual(
        new Map([
          ['foo', 1],
          ['bar', 2],
        ]),
      )
      if (!ground.redis) return
      const wireKeys = (await ground.redis.control.command('KEYS', 'holdfast:keyv:five:*')) as string[]
      expect(wireKeys.sort()).toEqual(['holdfast:keyv:five:=bar', 'holdfast:keyv:five:=foo'])
    })

    it('takes a number for a key, as JavaScript lets it through, for the key of its text', async () => {
      for (const namespace of [undefined, 'numbers']) {
        const store = on({ namespace })
        const key = 42 as unknown as string
        expect(await store.set(key, 'one')).toBe(true)
        expect(await store.setMany([{ key: 7 as unknown as string, value: 'seven' }])).toEqual([true])
        expect(await store.get(key)).toBe('one')
        expect(await store.get('42')).toBe('one')
        expect(await store.getMany([key, '7'])).toEqual(['one', 'seven'])
        expect(await store.has(key)).toBe(true)
        expect(await store.hasMany([key])).toEqual([true])
        expect((await entriesOf(store.iterator())).get('42')).toBe('one')
        expect(await store.delete(key)).toBe(true)
        expect(await store.deleteMany([7 as unknown as string])).toBe(true)
        expect(await store.hasMany(['42', '7'])).toEqual([false, false])
      }
    })

    it('follows Keyv to another namespace', async () => {
      const keyv = new Keyv5({ store: on(), namespace: 'one' })
      await keyv.set('foo', 1)
      keyv.namespace = 'two'
      expect(await keyv.get('foo')).toBeUndefined()
      await keyv.clear()
      keyv.namespace = 'one'
      expect(await keyv.get('foo')).toBe(1)
    })

    describe('reads an expiry', () => {
      const day = 86_400_000
      it.each([
        ['undefined: for ever', () => undefined, Infinity],
        ['0: for ever', () => 0, Infinity],
        ['Infinity: for ever', () => Infinity, Infinity],
        ['a minute', () => 60_000, 60_000],
        ['50 years', () => 50 * 365 * day, 50 * 365 * day],
        ['in a minute', () => Date.now() + 60_000, 60_000],
        ['in 10 years', () => Date.now() + 3_650 * day, 3_650 * day],
        ['farther than Redis counts', () => Number.MAX_SAFE_INTEGER, Infinity],
        ['now', () => Date.now(), 0],
        ['a month ago', () => Date.now() - 30 * day, 0],
        ['less than nothing', () => -5, 0],
      ])('%s', async (_what, expiry, ttl) => {
        const store = on({ namespace: 'expiry' })
        expect(await store.set('foo', 'bar', expiry())).toBe(true)
        expect(await store.get('foo')).toBe(ttl >= 1_000 ? 'bar' : undefined)
        if (!ground.redis || ttl < 1_000) return
        const left = (await ground.redis.control.command('PTTL', 'holdfast:keyv:expiry::foo')) as number
        if (ttl === Infinity) return expect(left).toBe(-1)
        expect(left).toBeLessThanOrEqual(ttl)
        expect(left).toBeGreaterThan(ttl - 10_000)
      })
    })

    it('tells Keyv 5 whether all were deleted, and Keyv 6 of each', async () => {
      for (const [Keyv, expected] of [
        [Keyv5 as unknown as typeof Keyv6, [true, false]],
        [
          Keyv6,
          [
            [true, true],
            [false, false],
          ],
        ],
      ] as const) {
        const keyv = new Keyv({ store: on(), namespace: 'many' })
        await keyv.set('a', 1)
        await keyv.set('b', 1)
        expect(await keyv.delete(['a', 'b'])).toEqual(expected[0])
        expect(await keyv.delete(['a', 'b'])).toEqual(expected[1])
      }
    })

    it('refuses more namespaces than there may be, with what to do instead', async () => {
      const holdfast = createHoldfast({ redis: 'memory', logger: false })
      const store = new KeyvHoldfast({ holdfast, namespace: 'n0' })
      for (let i = 0; i < 1_000; i++) {
        store.namespace = `n${i}`
        expect(await store.set('foo', i)).toBe(true)
      }
      const refused = /put what tells them apart into the keys/
      expect(() => (store.namespace = 'one more')).toThrow(refused)
      expect(() => new Keyv6({ store, namespace: 'one more' })).toThrow(refused)
      expect(() => new KeyvHoldfast({ holdfast })).toThrow(refused)
      expect(store.namespace).toBe('n999')
      expect(await store.get('foo')).toBe(999)
      store.namespace = 'n0'
      expect(await store.get('foo')).toBe(0)
      await holdfast.close()
    })
  })
})
