import type { Entries } from '../degradation/entries.ts'
import type { TagVersion } from '../envelope/scoped.ts'
import { createLru } from '../lru.ts'
import type { Milliseconds } from '../units.ts'

/** What an entry hangs on. */
export interface Scope {
  readonly generation: number
  readonly tags: readonly TagVersion[]
}

/**
 * The versions that entries hang on: one per tag, and the generation of the whole cache. An entry holds the versions it was
 * made under, and counts as long as they are the same. So invalidating is one write however many entries there are, needs no
 * clock that all processes agree on, and reaches a value whose factory began before it. A version that the primary evicts
 * takes its entries with it: nobody can tell whether it was another one by then.
 */
export interface Versions {
  /** The generation, where this process knows it for sure. */
  generation(): number | undefined
  /** Asks for the generation; `undefined` while nobody knows it, or there is none yet. */
  askGeneration(): Promise<number | undefined>
  /**
   * Whether an entry still counts; `undefined`: the primary has to be asked. `generation` is what {@link askGeneration} gave
   * just now.
   */
  judge(scope: Scope, generation?: number): boolean | undefined
  /** The same with asking; `undefined` while the primary cannot be asked and this process does not know. */
  verify(scope: Scope, generation?: number): Promise<boolean | undefined>
  /** Whether an entry does not count by what this process heard last. For times without the primary. */
  isVoid(scope: Scope): boolean
  /** Gives the scope of a value that is about to be made; creates the versions that there are not yet. */
  scopeOf(tags: readonly string[]): Scope | Promise<Scope>
  /** Voids all entries that hang on a tag, or, without one, all there are. Resolves with whether the primary has it. */
  renew(tag?: string): Promise<boolean>
  /** The primary told of these wire keys, or of all. */
  onChange(wireKeys: readonly string[] | undefined): void
  /** Changes may have gone unheard. */
  doubt(): void
}

export interface VersionsOptions {
  readonly entries: Entries
  /** Whether changes by others are heard of now, or there are no others. */
  readonly isHearing: (now?: number) => boolean
  readonly now: () => number
}

interface Known {
  readonly version: number
  /** Until when it is what the primary has, unless a change is heard of, in ms since the epoch. */
  currentUntil: number
}

/** What asking for a version came to. */
interface Asked {
  /** `undefined`: there is none. */
  readonly version: number | undefined
  /** The primary says so; else it is what this process knows, which may be old. */
  readonly isConfirmed: boolean
}

/** How long the version of a tag lives after it was made; entries with that tag live no longer. */
export const tagLifetime: Milliseconds = 30 * 86_400_000
const rememberedTags = 100_000
/**
 * A version is asked for at least this often while it is needed: so Redis does not take it for one that nobody uses, and
 * a process that is deaf without knowing it goes by an old one for no longer.
 */
const longestTrust: Milliseconds = 60_000
const noTags: readonly TagVersion[] = []

export function createVersions({ entries, isHearing, now }: VersionsOptions): Versions {
  const known = createLru<Known>(rememberedTags)
  /** The generation's key. Those of tags begin with a colon, so none is the same. */
  const all = '*'
  const allKey = entries.wireKey(all)
  /** Rises with each change that was heard: an answer that was under way meanwhile may be older than it. */
  let changes = 0
  /** The generation, where it is current: asked for with each read. */
  let generation: number | undefined
  let generationUntil = 0

  function isTrusted(until: number): boolean {
    const at = now()
    return until > at && isHearing(at)
  }

  function current(wireKey: string): number | undefined {
    const there = known.get(wireKey)
    return there && isTrusted(there.currentUntil) ? there.version : undefined
  }

  function note(wireKey: string, version: number, changesBefore: number, isPrimarys: boolean): void {
    const there = known.peek(wireKey)
    const isCurrent = isPrimarys && isHearing() && changes === changesBefore
    // An answer that proves nothing takes nothing either: this version may only wait for the proof that nothing went unheard.
    const before = there?.version === version ? there.currentUntil : 0
    const currentUntil = isCurrent ? now() + longestTrust : before
    known.set(wireKey, { version, currentUntil })
    if (wireKey !== allKey) return
    generation = currentUntil > 0 ? version : undefined
    generationUntil = currentUntil
  }

  async function ask(name: string): Promise<Asked> {
    const wireKey = entries.wireKey(name)
    const changesBefore = changes
    const reading = await entries.get(name)
    if (reading.status === 'unknown') return { version: known.get(wireKey)?.version, isConfirmed: false }
    const isConfirmed = reading.origin === 'primary'
    if (reading.status === 'found') {
      const version = reading.value as number
      note(wireKey, version, changesBefore, isConfirmed)
      return { version, isConfirmed }
    }
    return { version: undefined, isConfirmed }
  }

  async function create(name: string, version: number): Promise<Asked> {
    const changesBefore = changes
    const life = { ...ttlOf(name), decides: false }
    const stored = await entries.set(name, version, { ...life, over: 'absent' })
    const entry = stored.status === 'stored' ? stored.entry : stored.current
    if (entry.status !== 'found') {
      // Something that is no version is in the way.
      await entries.set(name, version, life)
      return { version, isConfirmed: false }
    }
    const there = entry.value as number
    const isConfirmed = entry.origin === 'primary'
    note(entries.wireKey(name), there, changesBefore, isConfirmed)
    return { version: there, isConfirmed }
  }

  function ensure(name: string): number | Promise<number> {
    return current(entries.wireKey(name)) ?? askOrCreate(name)
  }

  async function askOrCreate(name: string): Promise<number> {
    const version = fresh()
    return (await ask(name)).version ?? (await create(name, version)).version ?? version
  }

  function ttlOf(name: string): { ttl?: Milliseconds } {
    return name === all ? {} : { ttl: tagLifetime }
  }

  async function verifyOne(name: string, version: number): Promise<boolean | undefined> {
    const there = current(entries.wireKey(name))
    if (there !== undefined) return there === version
    const asked = await ask(name)
    // What the primary did not confirm may be old: it rules out, and vouches for nothing.
    if (asked.version !== undefined && asked.version !== version) return false
    return asked.isConfirmed ? asked.version === version : undefined
  }

  return {
    generation: () => (isTrusted(generationUntil) ? generation : undefined),
    async askGeneration() {
      const { version, isConfirmed } = await ask(all)
      return isConfirmed ? version : undefined
    },
    judge({ generation: given, tags }, asked) {
      const ofAll = generation ?? asked
      if (ofAll !== undefined && ofAll !== given) return false
      let isSure = ofAll !== undefined
      for (const [tag, version] of tags) {
        const ofTag = current(entries.wireKey(nameOf(tag)))
        if (ofTag === undefined) isSure = false
        else if (ofTag !== version) return false
      }
      return isSure ? true : undefined
    },
    async verify({ generation: given, tags }, asked) {
      const verdicts = await Promise.all([
        asked === undefined ? verifyOne(all, given) : asked === given,
        ...tags.map(([tag, version]) => verifyOne(nameOf(tag), version)),
      ])
      return verdicts.includes(false) ? false : verdicts.includes(undefined) ? undefined : true
    },
    isVoid({ generation: given, tags }) {
      const differs = (wireKey: string, version: number): boolean => {
        const there = known.get(wireKey)
        return there !== undefined && there.version !== version
      }
      return (
        differs(allKey, given) ||
        tags.some(([tag, version]) => differs(entries.wireKey(nameOf(tag)), version))
      )
    },
    scopeOf(tags) {
      const ensured = generation ?? ensure(all)
      if (tags.length === 0)
        return typeof ensured === 'number'
          ? { generation: ensured, tags: noTags }
          : ensured.then((made) => ({ generation: made, tags: noTags }))
      const versions = Promise.all(
        tags.map(async (tag): Promise<TagVersion> => [tag, await ensure(nameOf(tag))]),
      )
      return Promise.all([ensured, versions]).then(([made, of]) => ({ generation: made, tags: of }))
    },
    async renew(tag) {
      const name = tag === undefined ? all : nameOf(tag)
      const wireKey = entries.wireKey(name)
      const version = fresh()
      const changesBefore = changes
      // At once in this process, whatever becomes of telling the primary.
      note(wireKey, version, changesBefore, false)
      const stored = await entries.set(name, version, ttlOf(name))
      const isTold = stored.status === 'stored' && stored.entry.origin === 'primary'
      if (known.peek(wireKey)?.version === version) note(wireKey, version, changesBefore, isTold)
      return isTold
    },
    onChange(wireKeys) {
      changes++
      for (const wireKey of wireKeys ?? known.keys()) {
        const there = known.peek(wireKey)
        if (there) there.currentUntil = 0
        if (wireKey === allKey) generation = undefined
      }
      if (wireKeys === undefined) generation = undefined
    },
    doubt() {
      changes++
      generation = undefined
      // It may have changed unheard: still good to rule out what is older, not to vouch for anything.
      for (const there of known.values()) there.currentUntil = 0
    },
  }
}

function nameOf(tag: string): string {
  return `:${tag}`
}

/** Any number but 0 that a float64 holds exactly. */
function fresh(): number {
  return 1 + Math.floor(Math.random() * 2 ** 52)
}
