import {
  createEnvelopes,
  versionOf,
  type Backend,
  type EnvelopeOptions,
  type SetOptions,
  type SetOutcome,
} from '@holdfast/core'
import type { BackendSubject } from '../subject.ts'

/**
 * The subject with every value in an envelope, compressed or encrypted: what the caller sees is what it stored, and
 * what the inner backend sees is not.
 */
export function enveloped(
  subject: BackendSubject,
  options: EnvelopeOptions & { readonly name: string },
): BackendSubject {
  const { name, ...how } = options
  return {
    ...subject,
    name: `${subject.name}, ${name}`,
    create: async () => withEnvelopes(await subject.create(), how),
  }
}

function withEnvelopes(inner: Backend, how: EnvelopeOptions): Backend {
  const { seal, open } = createEnvelopes(how)
  const { getBound, sets, track, watch, reset } = inner

  function opened(key: string, sealed: Uint8Array | undefined): Uint8Array | undefined {
    if (sealed === undefined) return undefined
    const envelope = open(key, sealed)
    if (envelope.status === 'opened' && envelope.value instanceof Uint8Array) return envelope.value
    throw new Error('The backend holds something that is not an envelope of bytes.')
  }

  /**
   * A version is that of the bytes the caller sees, and encryption seals the same bytes differently each time: the
   * condition is translated to one on the sealed bytes, which are replaced only if they are still the ones looked at.
   */
  async function setOver(
    key: string,
    value: Uint8Array,
    { ifVersion, ...options }: SetOptions,
  ): Promise<SetOutcome> {
    let sealed = await inner.get(key)
    for (;;) {
      const current = opened(key, sealed)
      if (sealed === undefined || current === undefined || versionOf(current) !== ifVersion)
        return { written: false, current }
      const outcome = await inner.set(key, seal(key, value), { ...options, ifVersion: versionOf(sealed) })
      if (outcome.written) return outcome
      sealed = outcome.current
    }
  }

  return {
    name: inner.name,
    capabilities: inner.capabilities,
    get: async (key) => opened(key, await inner.get(key)),
    ...(getBound && { getBound: async (key: string) => opened(key, await getBound.call(inner, key)) }),
    getMany: async (keys) => (await inner.getMany(keys)).map((sealed, i) => opened(keys[i]!, sealed)),
    async set(key, value, options = {}) {
      if (options.ifVersion !== undefined) return setOver(key, value, options)
      const outcome = await inner.set(key, seal(key, value), options)
      return outcome.written ? outcome : { written: false, current: opened(key, outcome.current) }
    },
    delete: (key) => inner.delete(key),
    touch: (key, ttl) => inner.touch(key, ttl),
    scan: (prefix) => inner.scan(prefix),
    publish: (channel, message) => inner.publish(channel, message),
    subscribe: (...of) => inner.subscribe(...of),
    ...(track && { track: track.bind(inner) }),
    ...(sets && { sets }),
    ping: () => inner.ping(),
    ...(watch && { watch: (listener: Parameters<typeof watch>[0]) => watch.call(inner, listener) }),
    ...(reset && { reset: () => reset.call(inner) }),
    close: () => inner.close(),
  }
}
