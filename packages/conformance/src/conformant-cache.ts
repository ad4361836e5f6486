/** How an entry lives. */
export interface EntryPolicy {
  /** How long the value is fresh, in ms. */
  readonly ttl?: number
  /** How long after that it may be served where the factory fails, in ms. */
  readonly grace?: number
  /** What the entry can be invalidated by. */
  readonly tags?: readonly string[]
}

/** What the suite asks of a cache; core's own `Cache` has it all. The optional methods are tried where they are. */
export interface ConformantCache {
  /** Gives a fresh value; `undefined`: there is none, or it cannot be had now. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown, policy?: EntryPolicy): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** Gives the value, or makes it. `undefined` of a factory stands for "there is none" and is not stored. */
  getOrSet(key: string, factory: () => unknown, policy?: EntryPolicy): Promise<unknown>
  has?(key: string): Promise<boolean>
  getMany?(keys: readonly string[]): Promise<unknown[]>
  setMany?(
    entries: Iterable<{ readonly key: string; readonly value: unknown; readonly policy?: EntryPolicy }>,
  ): Promise<unknown>
  deleteMany?(keys: readonly string[]): Promise<unknown>
  /** Makes an entry fresh for so long from now on; 0: not any more. */
  expire?(key: string, ttl?: number): Promise<unknown>
  deleteByTag?(tag: string): Promise<unknown>
  /** Removes all entries of the cache, and no others. */
  clear?(): Promise<unknown>
}
