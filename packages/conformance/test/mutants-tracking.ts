import type { Backend, ExpiringSets, Member } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'
import { override } from './override.ts'

type Track = NonNullable<Backend['track']>
type Listener = Parameters<Track>[1]

/** A mutant whose listeners hear something else. */
function hearing(
  breaks: string,
  by: string,
  change: (listener: Listener, prefix: string) => Listener,
): Mutant {
  return mutant(breaks, by, (inner) => ({
    track: (prefix, listener) => inner.track!(prefix, change(listener, prefix)),
  }))
}

/** A mutant whose trackings do something else. */
function tracked(
  breaks: string,
  by: string,
  change: (tracking: ReturnType<Track>, listener: Listener) => Partial<ReturnType<Track>>,
): Mutant {
  return mutant(breaks, by, (inner) => ({
    track(prefix, listener) {
      const tracking = inner.track!(prefix, listener)
      return override(tracking, change(tracking, listener))
    },
  }))
}

function ofSets(breaks: string, by: string, change: (sets: ExpiringSets) => Partial<ExpiringSets>): Mutant {
  return mutant(breaks, by, ({ sets }) => ({ sets: override(sets!, change(sets!)) }))
}

export const trackingMutants: readonly Mutant[] = [
  hearing(
    'tells of each key under a prefix',
    'telling that something changed',
    ({ onChange, onHearing }) => ({
      onChange: () => onChange(undefined),
      onHearing,
    }),
  ),
  mutant('tells of each key under a prefix', 'hearing its own changes only', (inner) => {
    const own = new Set<string>()
    return {
      set: (key, value, options) => (own.add(key), inner.set(key, value, options)),
      track: (prefix, { onChange, onHearing }) =>
        inner.track!(prefix, {
          onChange: (keys) => onChange(keys?.filter((key) => own.has(key))),
          onHearing,
        }),
    }
  }),
  ...(['delete', 'touch', 'set if', 'set over'] as const).map((what) =>
    mutant('tells of each key under a prefix', `not telling of ${what}`, (inner) => ({
      delete: (key) => quietly(what === 'delete', key, () => inner.delete(key)),
      touch: (key, ttl) => quietly(what === 'touch', key, () => inner.touch(key, ttl)),
      set: (key, value, options) => {
        const isQuiet =
          (what === 'set if' && options?.ifAbsent === true) ||
          (what === 'set over' && options?.ifVersion !== undefined)
        return quietly(isQuiet, key, () => inner.set(key, value, options))
      },
      track: (prefix, { onChange, onHearing }) =>
        inner.track!(prefix, {
          onChange: (keys) => onChange(keys?.filter((key) => !quiet.has(key))),
          onHearing,
        }),
    })),
  ),
  mutant('tells of a key that expires', 'not telling', (inner) => ({
    track: (prefix, { onChange, onHearing }) =>
      inner.track!(prefix, {
        onChange(keys) {
          const told = inner
            .getMany(keys ?? [])
            .then((values) => onChange(keys?.filter((_, i) => values[i] !== undefined)))
          told.catch(() => undefined)
        },
        onHearing,
      }),
  })),
  mutant('tells of no key beside the prefix', 'taking * for anything', (inner) => ({
    track: (prefix, listener) => inner.track!(prefix.replace(/\*.*/, ''), listener),
  })),
  mutant('tells of no key beside the prefix', 'leaving the last character out', (inner) => ({
    track: (prefix, listener) => inner.track!(prefix.slice(0, -1), listener),
  })),
  mutant('of which one covers the other', 'telling only the first that it fits', (inner) => {
    const prefixes: string[] = []
    return {
      track(prefix, { onChange, onHearing }) {
        const isCovered = prefixes.some((other) => prefix.startsWith(other))
        prefixes.push(prefix)
        return inner.track!(prefix, { onChange: (keys) => isCovered || onChange(keys), onHearing })
      },
    }
  }),
  mutant('of which one covers the other', 'telling each of all', (inner) => {
    const listeners = new Set<Listener>()
    return {
      track(prefix, listener) {
        listeners.add(listener)
        return inner.track!(prefix, {
          onChange: (keys) => listeners.forEach(({ onChange }) => onChange(keys)),
          onHearing: listener.onHearing,
        })
      },
    }
  }),
  hearing('proves that it has told of all', 'telling late', ({ onChange, onHearing }) => ({
    onChange: (keys) => void setTimeout(() => onChange(keys), 5),
    onHearing,
  })),
  tracked('proves that it has told of all', 'never', () => ({ prove: async () => false })),
  tracked('is silent for a tracker that was closed', 'going on', () => ({ close: () => undefined })),
  mutant('is silent for a tracker that was closed', 'ending all of them', (inner) => {
    const all: ReturnType<Track>[] = []
    return {
      track(prefix, listener) {
        const tracking = inner.track!(prefix, listener)
        all.push(tracking)
        return { prove: () => tracking.prove(), close: () => all.forEach(({ close }) => close()) }
      },
    }
  }),
  hearing('tells that it hears nothing', 'saying nothing of it', ({ onChange, onHearing }) => ({
    onChange,
    onHearing: (isHearing) => isHearing && onHearing(true),
  })),
  hearing('tells that it hears nothing', 'saying nothing of hearing again', ({ onChange, onHearing }) => {
    let wasLost = false
    return {
      onChange,
      onHearing: (isHearing) => {
        wasLost ||= !isHearing
        if (!isHearing || !wasLost) onHearing(isHearing)
      },
    }
  }),
  tracked('tells that it hears nothing', 'proving without asking', () => ({ prove: async () => true })),
  hearing('tells that it hears nothing', 'not hearing any more', ({ onChange, onHearing }) => {
    let wasLost = false
    return {
      onChange: (keys) => wasLost || onChange(keys),
      onHearing: (isHearing) => {
        wasLost ||= !isHearing
        onHearing(isHearing)
      },
    }
  }),
  mutant('leaves no change untold', 'being deaf in an outage', (inner) => ({
    track(prefix, { onChange, onHearing }) {
      let isAway = false
      const timer = setInterval(() => {
        isAway = true
        inner.ping().then(
          () => (isAway = false),
          () => undefined,
        )
      }, 20).unref()
      const tracking = inner.track!(prefix, {
        onChange: (keys) => isAway || keys?.some((key) => key.endsWith('late')) || onChange(keys),
        onHearing,
      })
      return {
        prove: () => tracking.prove(),
        close() {
          clearInterval(timer)
          tracking.close()
        },
      }
    },
  })),
  hearing(
    'tells, without keys, that everything was removed',
    'saying nothing',
    ({ onChange, onHearing }) => ({
      onChange: (keys) => keys && onChange(keys),
      onHearing,
    }),
  ),
  mutant('hears nothing, and claims nothing', 'claiming it', (inner) => {
    let isClosed = false
    return {
      close: () => ((isClosed = true), inner.close()),
      track: (prefix, { onChange, onHearing }) =>
        inner.track!(prefix, { onChange, onHearing: (isHearing) => isClosed || onHearing(isHearing) }),
    }
  }),
]

export const setScanMutants: readonly Mutant[] = [
  ofSets('scans all members', 'giving the first thousand', (sets) => ({
    async *scan(set) {
      let left = 1_000
      for await (const members of sets.scan(set)) {
        yield members.slice(0, left)
        left = Math.max(0, left - members.length)
      }
    },
  })),
  ofSets('scans all members', 'all at once', (sets) => ({
    async *scan(set) {
      const all: Member[] = []
      for await (const members of sets.scan(set)) all.push(...members)
      yield all
    },
  })),
  ofSets('scans all members', 'forgetting their times', (sets) => ({
    async *scan(set) {
      for await (const members of sets.scan(set)) yield members.map(([member]) => [member, 0] as const)
    },
  })),
  ofSets('scans a set and none beside it', 'taking capitals for small letters', (sets) => {
    const added = new Set<string>()
    return {
      add: (set, members, also) => (added.add(set), sets.add(set, members, also)),
      async *scan(set) {
        for (const other of added) if (other.toLowerCase() === set.toLowerCase()) yield* sets.scan(other)
      },
    }
  }),
  ofSets('scans a set and none beside it', 'one scan at a time', (sets) => {
    let isScanning = false
    return {
      async *scan(set) {
        if (isScanning) return
        isScanning = true
        yield* sets.scan(set)
        yield []
        isScanning = false
      },
    }
  }),
  ofSets('scans a member that stays', 'an offset that moves with the removals', (sets) => ({
    async *scan(set) {
      for (let offset = 0; ; offset += 200) {
        const all: Member[] = []
        for await (const members of sets.scan(set)) all.push(...members)
        if (offset >= all.length) return
        yield all.toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(offset, offset + 200)
      }
    },
  })),
  mutant('answers no call at all once it is closed', 'scanning a set on', ({ close, sets }) => {
    let isClosed = false
    return {
      close: () => ((isClosed = true), close()),
      sets: override(sets!, {
        async *scan(set) {
          if (!isClosed) yield* sets!.scan(set)
        },
      }),
    }
  }),
]

/** The keys whose change is being made without telling of it. */
const quiet = new Set<string>()

async function quietly<T>(isQuiet: boolean, key: string, change: () => Promise<T>): Promise<T> {
  if (!isQuiet) return change()
  quiet.add(key)
  try {
    return await change()
  } finally {
    await new Promise((resolve) => void setTimeout(resolve, 5))
    quiet.delete(key)
  }
}
