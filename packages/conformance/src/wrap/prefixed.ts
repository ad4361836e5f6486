import type { AlsoDo, Backend, ExpiringSets } from '@holdfast/core'
import type { BackendSubject } from '../subject.ts'

type Track = NonNullable<Backend['track']>

/** The subject with every key and channel under a prefix: a backend around a backend keeps the same promises. */
export function prefixed(subject: BackendSubject, prefix: string): BackendSubject {
  return {
    ...subject,
    name: `${subject.name}, prefixed`,
    create: async () => withPrefix(await subject.create(), prefix),
  }
}

function withPrefix(inner: Backend, prefix: string): Backend {
  const { getBound, sets, track, watch, reset } = inner
  return {
    name: inner.name,
    capabilities: inner.capabilities,
    get: (key) => inner.get(prefix + key),
    ...(getBound && { getBound: (key: string) => getBound.call(inner, prefix + key) }),
    getMany: (keys) => inner.getMany(keys.map((key) => prefix + key)),
    set: (key, value, options) => inner.set(prefix + key, value, options),
    delete: (key) => inner.delete(prefix + key),
    touch: (key, ttl) => inner.touch(prefix + key, ttl),
    async *scan(keysPrefix) {
      for await (const keys of inner.scan(prefix + keysPrefix))
        yield keys.map((key) => key.slice(prefix.length))
    },
    publish: (channel, message) => inner.publish(prefix + channel, message),
    subscribe: (channel, ...listeners) => inner.subscribe(prefix + channel, ...listeners),
    ...(track && { track: trackWithPrefix(track.bind(inner), prefix) }),
    ...(sets && { sets: setsWithPrefix(sets, prefix) }),
    ping: () => inner.ping(),
    ...(watch && { watch: (listener: Parameters<typeof watch>[0]) => watch.call(inner, listener) }),
    ...(reset && { reset: () => reset.call(inner) }),
    close: () => inner.close(),
  }
}

function trackWithPrefix(track: Track, prefix: string): Track {
  return (keysPrefix, listener) =>
    track(prefix + keysPrefix, {
      ...listener,
      onChange: (keys) => listener.onChange(keys?.map((key) => key.slice(prefix.length))),
    })
}

function setsWithPrefix(inner: ExpiringSets, prefix: string): ExpiringSets {
  const also = ({ delete: key, publish }: AlsoDo): AlsoDo => ({
    ...(key !== undefined && { delete: prefix + key }),
    ...(publish && { publish: { ...publish, channel: prefix + publish.channel } }),
  })
  return {
    add: (set, members, more) => inner.add(prefix + set, members, more && also(more)),
    remove: (set, members) => inner.remove(prefix + set, members),
    members: (set, range) => inner.members(prefix + set, range),
    scan: (set) => inner.scan(prefix + set),
  }
}
