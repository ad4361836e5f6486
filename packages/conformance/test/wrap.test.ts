import { describe, expect, it } from 'vitest'
import { createMemoryBackend, type Backend } from '@holdfast/core'
import { defineBackend, enveloped, prefixed, type BackendSubject } from '@holdfast/conformance'
import { override } from './override.ts'

const later = Date.UTC(2100, 0)
const all = { from: 0, limit: 10 }
const bytes = Buffer.from('1')

/** One backend, as it is and wrapped. */
async function wrapped(
  wrap: (subject: BackendSubject) => BackendSubject,
  inner = createMemoryBackend(),
): Promise<{ readonly inner: Backend; readonly outer: Backend }> {
  const subject = defineBackend({ name: 'memory', create: () => inner })
  return { inner, outer: await wrap(subject).create() }
}

const withPrefix = (subject: BackendSubject): BackendSubject => prefixed(subject, 'p:')

describe('a backend under a prefix', () => {
  it('puts sets under it, and the key and the channel of what is done in the same step', async () => {
    const { inner, outer } = await wrapped(withPrefix)
    const heard: string[] = []
    for (const channel of ['channel', 'p:channel']) await inner.subscribe(channel, () => heard.push(channel))
    for (const key of ['key', 'p:key']) await inner.set(key, bytes)
    await outer.sets!.add('set', [['a', later]], {
      delete: 'key',
      publish: { channel: 'channel', message: bytes },
    })
    expect(await inner.sets!.members('p:set', all)).toEqual([['a', later]])
    expect(await inner.sets!.members('set', all)).toEqual([])
    expect(await inner.getMany(['key', 'p:key'])).toEqual([bytes, undefined])
    await expect.poll(() => heard).toEqual(['p:channel'])
    await outer.sets!.remove('set', ['a'])
    expect(await inner.sets!.members('p:set', all)).toEqual([])
  })

  it('tracks keys under it, and tells of them as the caller knows them', async () => {
    const told: unknown[] = []
    const { outer } = await wrapped(
      withPrefix,
      override(createMemoryBackend(), {
        track(prefix, { onChange, onHearing, onProved }) {
          onProved?.(1)
          onHearing(true)
          for (const keys of [[`${prefix}a`], undefined]) onChange(keys)
          told.push(prefix)
          return { prove: async () => true, close: () => told.push('closed') }
        },
      }),
    )
    const tracking = outer.track!('key:', {
      onChange: (keys) => told.push(keys),
      onHearing: (isHearing) => told.push(isHearing),
      onProved: (holdsFor) => told.push(holdsFor),
    })
    expect(await tracking.prove()).toBe(true)
    tracking.close()
    expect(told).toEqual([1, true, ['key:a'], undefined, 'p:key:', 'closed'])
  })

  it('claims no tracking where there is none', async () => {
    expect((await wrapped(withPrefix)).outer.track).toBeUndefined()
  })

  it('claims no sets where there are none', async () => {
    const { outer } = await wrapped(
      withPrefix,
      override(createMemoryBackend(), { sets: undefined } as object),
    )
    expect(outer.sets).toBeUndefined()
  })
})

describe.each([
  ['under a prefix', withPrefix],
  ['with envelopes', (subject: BackendSubject) => enveloped(subject, { name: 'plain' })],
])('a backend %s', (_, wrap) => {
  it('hands on who is to be told of a gap', async () => {
    const told: unknown[] = []
    const { outer } = await wrapped(
      wrap,
      override(createMemoryBackend(), {
        async subscribe(channel, listener, hearing) {
          hearing?.onLost?.()
          hearing?.onGap?.()
          hearing?.onProved?.(1)
          return { close: async () => undefined }
        },
      }),
    )
    await outer.subscribe('channel', () => undefined, {
      onGap: () => void told.push('gap'),
      onLost: () => void told.push('loss'),
      onProved: (holdsFor) => void told.push(holdsFor),
    })
    expect(told).toEqual(['loss', 'gap', 1])
  })
})
