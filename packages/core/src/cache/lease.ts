import type { Entries } from '../degradation/entries.ts'
import type { Found } from '../degradation/reading.ts'
import { Scoped } from '../envelope/scoped.ts'
import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'
import { leaseStamp, type Seen, type Sight, type Sights } from './sight.ts'
import type { Scope } from './versions.ts'

/** Whose it is to run a factory: ours, with what the result may be written over; or somebody made the value meanwhile. */
export type LeaseTurn =
  | { readonly status: 'ours'; readonly over: Found | undefined }
  | { readonly status: 'made'; readonly seen: Seen }

/**
 * Lets one process of a fleet run a factory at a time, by a mark under the entry's own key: whoever removes the entry removes the
 * mark, and a value that was made before is not written after (a lease, as in Nishtala et al., "Scaling Memcache at
 * Facebook", 2013). Where a value is past its ttl, the mark is that value, fresh for a little longer, but not beyond the end
 * of its grace: the others serve it. Who waits for a lease that is given back without a value does not wait for the next one.
 */
export interface Leases {
  take(key: string, wireKey: string, sight: Sight, wish: Wish): Promise<LeaseTurn>
  /** Gives a lease back without a value; what is past its ttl stays, for as long as the lease would have. */
  release(key: string, over: Found): Promise<void>
  /** The factory gave nothing to store: what there was, or the lease, is over. Left out `over`: whatever is there. */
  clear(key: string, over: Found | undefined): Promise<void>
}

/** What a lease is asked for. */
export interface Wish {
  readonly scope: Scope
  /** For how long. */
  readonly lease: Milliseconds
}

const firstPause: Milliseconds = 5
const longestPause: Milliseconds = 100

export function createLeases({
  entries,
  sights,
  isWritable,
  clock,
}: {
  readonly entries: Entries
  readonly sights: Sights
  /** Whether the primary takes writes. */
  readonly isWritable: () => boolean
  readonly clock: Clock
}): Leases {
  /** Whatever became of a mark, it goes before the primary is trusted again. */
  function giveUp(key: string): void {
    void entries.delete(key).catch(() => undefined)
  }

  async function clear(key: string, over: Found | undefined): Promise<void> {
    const gone = { ...(over && { over }), ttl: 1, stamp: leaseStamp, decides: false }
    const stored = await entries.set(key, new Scoped(undefined, 0), gone)
    if (stored.status === 'stored' && stored.entry.origin !== 'primary') giveUp(key)
  }

  return {
    async take(key, wireKey, first, { scope, lease }) {
      const until = clock.now() + 2 * lease
      let sight = first
      let awaited: Found | undefined
      for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 1.5)) {
        if (sight.status === 'unknown' || !isWritable() || clock.now() > until) return ours
        if (sight.status === 'found' && sight.isFresh) return { status: 'made', seen: sight }
        if (sight.status === 'missing' && sight.isLeased && isWorthIt(sight.over!)) {
          awaited = sight.over
          await new Promise<void>((resolve) =>
            clock.setTimeout(resolve, pause * (0.75 + 0.5 * Math.random())),
          )
          sight = await sights.look(key, wireKey)
          continue
        }
        const over = sight.status === 'found' ? sight.found : sight.over
        const stored = await entries.set(key, ...marked(sight, over))
        if (stored.status === 'stored') {
          if (stored.entry.origin === 'primary') return { status: 'ours', over: stored.entry }
          giveUp(key)
          return ours
        }
        sight = await sights.judge(stored.current)
        // Something unreadable is in the way: it is overwritten.
        if (sight.status === 'missing' && sight.over === undefined && over === undefined) return ours
      }

      /** The lease that was waited for still stands, or its process went without giving it back. */
      function isWorthIt(mark: Found): boolean {
        return !awaited || awaited.revision === mark.revision || awaited.endsAt <= clock.now()
      }

      function marked(now: Sight, over: Found | undefined): [unknown, Parameters<Entries['set']>[2]] {
        const options = { over: over ?? ('absent' as const), decides: false }
        if (now.status !== 'found') {
          const mark = new Scoped(undefined, scope.generation)
          return [mark, { ...options, ttl: lease, stamp: leaseStamp, endsAt: clock.now() + lease }]
        }
        const { endsAt } = now.found
        const stamp = Math.min(clock.now() + lease, endsAt)
        return [now.scoped, { ...options, ttl: Math.max(1, endsAt - clock.now()), stamp, endsAt }]
      }
    },
    async release(key, over) {
      if (over.stamp === leaseStamp) await clear(key, over)
    },
    clear,
  }
}

const ours: LeaseTurn = { status: 'ours', over: undefined }
