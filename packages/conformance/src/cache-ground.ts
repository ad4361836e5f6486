import assert from 'node:assert/strict'
import type { ConformantCache } from './conformant-cache.ts'
import { eventually, margin, pause, within } from './expect.ts'
import type { CacheSubject, FaultName } from './subject.ts'

/** What a case about caches stands on. */
export interface CacheGround {
  readonly subject: CacheSubject
  readonly fault: FaultName
  /** A cache that the cases of a run share. */
  readonly cache: ConformantCache
  /** The same entries in another process; the same cache where the subject has no peers. */
  readonly peer: ConformantCache
  /** How long a call may take in an outage, in ms and beside the factory. */
  readonly deadline: number
  key(name: string): string
  /** Puts something foreign where a key of the shared cache stands. */
  plant(key: string, value: Uint8Array | readonly string[]): Promise<unknown>
  /** Opens a cache of the case's own space, or of one beside it. */
  open(beside?: string): Promise<ConformantCache>
  /** Opens one of the case's own space as another process has it. */
  openPeer(): Promise<ConformantCache>
  /** Resolves once the shared caches can be used again after an outage. */
  usable(): Promise<void>
  /** Resolves once what the first of these caches stores is seen by all of them. */
  together(...caches: readonly [ConformantCache, ...ConformantCache[]]): Promise<void>
  /** The same ground with other keys and another space, for a case that is tried again. */
  again(): CacheGround
  /** Lets time pass for the cache. */
  wait(ms: number): Promise<void>
  /** Closes every cache that the case opened. */
  close(): Promise<void>
}

/** What the grounds of a run have in common. */
export interface CacheRun {
  readonly subject: CacheSubject
  readonly fault: FaultName
  readonly cache: ConformantCache
  readonly peer: ConformantCache
  readonly space: string
  readonly usable: () => Promise<void>
}

const defaultDeadline = 1_000
/** How long caches may take to be usable again after an outage, in ms. */
const patience = 5_000

/** Waits until what the first of these caches stores is seen by all of them. */
export async function together(
  writer: ConformantCache,
  ...readers: readonly ConformantCache[]
): Promise<void> {
  let probes = 0
  await eventually(async () => {
    const probe = `probe ${++probes}`
    await within(400, writer.set('probe', probe), 'a write after the outage')
    for (const reader of [writer, ...readers]) {
      const seen = await within(400, reader.get('probe'), 'a read after the outage')
      assert.equal(seen, probe, 'what was stored after the outage')
    }
  }, patience)
}

/** Creates the ground of one case. */
export function createCacheGround(run: CacheRun, index: number): CacheGround {
  const { subject, fault, cache, peer, space } = run
  const opened: ConformantCache[] = []

  async function own(opening: ConformantCache | Promise<ConformantCache>): Promise<ConformantCache> {
    const created = await opening
    opened.push(created)
    return created
  }

  function groundOf(name: string): CacheGround {
    const ownSpace = `${space}-${name}`
    return {
      subject,
      fault,
      cache,
      peer,
      deadline: (subject.deadline ?? defaultDeadline) + margin,
      key: (key) => `${name}:${key}`,
      plant: async (key, value) => subject.plant!(space, key, value),
      open: (beside = '') => own(subject.create(ownSpace + beside)),
      openPeer: () => own(subject.createPeer!(ownSpace)),
      usable: run.usable,
      together,
      again: () => groundOf(`${name}-again`),
      async wait(ms) {
        await (subject.clock ? subject.clock.advance(ms) : pause(ms))
      },
      async close() {
        await Promise.all(opened.splice(0).map((each) => subject.close?.(each)))
      },
    }
  }

  return groundOf(String(index))
}
