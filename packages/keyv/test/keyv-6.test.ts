import { Keyv, keyvStorageCapability, type KeyvOptions } from 'keyv-6'
import { beforeEach, describe, expect, it } from 'vitest'
import { KeyvHoldfast } from '../src/index.ts'
import { entriesOf, onEach } from './grounds.ts'

/** The list of @keyv/test-suite 2.1.2, which speaks Keyv 5, for Keyv 6; and what 6 adds to it. */
describe('Keyv 6', () => {
  onEach((ground) => {
    const store = (): KeyvHoldfast => new KeyvHoldfast({ holdfast: ground.holdfast })
    const on = (options: KeyvOptions = {}): Keyv => new Keyv({ store: store(), ...options })

    describe.each([
      ['with serialization', {}],
      ['without serialization', { serialization: false }],
    ] as const)('%s', (_name, how) => {
      let keyv: Keyv
      beforeEach(async () => {
        keyv = on({ namespace: 'six', ...how })
        await keyv.clear()
      })

      it('sets a value, and tells so', async () => {
        expect(await keyv.set('foo', 'bar')).toBe(true)
        expect(await keyv.get('foo')).toBe('bar')
      })

      it('gives undefined for what is not there', async () => {
        expect(await keyv.get('foo')).toBeUndefined()
        expect(await keyv.get(['foo', 'fizz'])).toEqual([undefined, undefined])
      })

      it('gives many values in the order of the keys', async () => {
        expect(
          await keyv.setMany([
            { key: 'foo', value: 1 },
            { key: 'fizz', value: 2, ttl: 60_000 },
          ]),
        ).toEqual([true, true])
        expect(await keyv.getMany(['fizz', 'none', 'foo'])).toEqual([2, undefined, 1])
        expect(await keyv.hasMany(['fizz', 'none', 'foo'])).toEqual([true, false, true])
        expect(await keyv.has('foo')).toBe(true)
        expect(await keyv.has('none')).toBe(false)
      })

      it('deletes, and tells of each key whether it was there', async () => {
        await keyv.set('foo', 1)
        await keyv.set('fizz', 2)
        await keyv.set('last', 3)
        expect(await keyv.delete('foo')).toBe(true)
        expect(await keyv.delete('foo')).toBe(false)
        expect(await keyv.delete(['foo', 'fizz', 'last'])).toEqual([false, true, true])
        expect(await keyv.getMany(['foo', 'fizz', 'last'])).toEqual([undefined, undefined, undefined])
      })

      it('clears', async () => {
        await keyv.set('foo', 1)
        await keyv.set('fizz', 2)
        expect(await keyv.clear()).toBeUndefined()
        expect(await keyv.getMany(['foo', 'fizz'])).toEqual([undefined, undefined])
        expect(await keyv.set('foo', 3)).toBe(true)
        expect(await keyv.get('foo')).toBe(3)
      })

      it.each([
        ['false', false],
        ['null', null],
        ['zero', 0],
        ['text', 'bar'],
        ['no text', ''],
        ['text that looks marked', ':base64:Zm9v'],
        ['quotes', `"'`],
        ['an object', { fizz: ['buzz', { n: 1 }] }],
        ['a Buffer', Buffer.from([0, 1, 255])],
        ['an object with a Buffer', { inner: { buffer: Buffer.from('buzz') } }],
        ['a BigInt', 9_223_372_036_854_775_807n],
      ])('keeps %s', async (_what, value) => {
        expect(await keyv.set('foo', value)).toBe(true)
        expect(await keyv.get('foo')).toEqual(value)
        expect(Buffer.isBuffer(await keyv.get('foo'))).toBe(Buffer.isBuffer(value))
      })

      it('keeps raw values with the time at which they expire', async () => {
        const expires = Date.now() + 60_000
        await keyv.setRaw('foo', { value: 'bar', expires })
        expect(await keyv.getRaw('foo')).toEqual({ value: 'bar', expires })
        expect(await keyv.setManyRaw([{ key: 'fizz', value: { value: 'buzz', expires } }])).toEqual([true])
        expect(await keyv.getManyRaw(['fizz', 'none'])).toEqual([{ value: 'buzz', expires }, undefined])
      })

      it('iterates over all values', async () => {
        const entries = Array.from({ length: 5 }, (_, i) => [`key ${i}`, i] as [string, number])
        for (const [key, value] of entries) await keyv.set(key, value)
        expect(typeof keyv.iterator()[Symbol.asyncIterator]).toBe('function')
        expect(await entriesOf(keyv.iterator())).toEqual(new Map(entries))
      })

      it('keeps namespaces apart in what it sets, deletes, clears and iterates over', async () => {
        const other = on({ namespace: 'other', ...how })
        await keyv.set('foo', 'six')
        await other.set('foo', 'other')
        await other.set('bar', 'other')
        expect(await keyv.get('foo')).toBe('six')
        expect(await keyv.delete('bar')).toBe(false)
        expect(await entriesOf(keyv.iterator())).toEqual(new Map([['foo', 'six']]))
        await keyv.clear()
        expect(await keyv.get('foo')).toBeUndefined()
        expect(await other.getMany(['foo', 'bar'])).toEqual(['other', 'other'])
      })
    })

    it('uses the adapter itself, not a bridge', () => {
      const adapter = store()
      expect(new Keyv({ store: adapter }).store).toBe(adapter)
      expect(adapter.capabilities).toEqual(keyvStorageCapability(adapter))
    })

    it('keeps the namespace that the adapter was given where Keyv has none', async () => {
      const adapter = new KeyvHoldfast({ holdfast: ground.holdfast, namespace: 'given' })
      const keyv = new Keyv({ store: adapter })
      await keyv.set('foo', 1)
      expect(keyv.namespace).toBe('given')
      expect(await on({ namespace: 'given' }).get('foo')).toBe(1)
      expect(await on().get('foo')).toBeUndefined()
    })

    describe('expiry', () => {
      it('is the adapter’s own, and to the millisecond', async () => {
        const keyv = on({ checkExpired: false })
        await keyv.set('short', 1, 150)
        await keyv.set('long', 2, 60_000)
        await keyv.set('for ever', 3)
        const keys = ['short', 'long', 'for ever']
        expect(await keyv.getMany(keys)).toEqual([1, 2, 3])
        await new Promise((resolve) => setTimeout(resolve, 170))
        expect(await keyv.getMany(keys)).toEqual([undefined, 2, 3])
        expect(await keyv.get('short')).toBeUndefined()
        expect(await keyv.has('short')).toBe(false)
        expect(await keyv.hasMany(keys)).toEqual([false, true, true])
        expect([...(await entriesOf(keyv.iterator())).keys()]).not.toContain('short')
      })

      it('is absolute: what has expired is not stored, and takes what was there with it', async () => {
        const adapter = store()
        const keyv = new Keyv({ store: adapter, checkExpired: false })
        for (const expires of [Date.now(), Date.now() - 1_000]) {
          await keyv.set('foo', 'before')
          expect(await keyv.setRaw('foo', { value: 'bar', expires })).toBe(true)
          expect(await keyv.get('foo')).toBeUndefined()
          await keyv.set('foo', 'before')
          await adapter.setMany([{ key: 'foo', value: 'bar', expires }])
          expect(await adapter.has('foo')).toBe(false)
        }
      })

      it('is what Redis has, too', async () => {
        if (!ground.redis) return
        const keyv = on({ namespace: 'pttl' })
        await keyv.set('foo', 1, 50_000)
        await keyv.set('for ever', 1)
        const left = async (key: string): Promise<number> =>
          (await ground.redis!.control.command('PTTL', `holdfast:keyv:pttl::${key}`)) as number
        expect(await left('foo')).toBeGreaterThan(40_000)
        expect(await left('foo')).toBeLessThanOrEqual(50_000)
        expect(await left('for ever')).toBe(-1)
      })
    })
  })
})
