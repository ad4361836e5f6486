/** What the cache stands before: a value per key, which changes now and then. */
export interface Value {
  readonly key: string
  readonly version: number
  readonly text: string
}

export interface Database {
  /** Makes a value, as a factory: it takes {@link factoryMs}. */
  read(key: string): Promise<Value>
  /** Gives the value that is true now. */
  now(key: string): Value
  /** From now on there is another value under the key. */
  change(key: string): void
  /** What was read since this was asked last. */
  reads(): readonly Read[]
}

export interface Read {
  /** In ms since the epoch. */
  readonly began: number
  /** How long it took: {@link factoryMs}, and what timers and the machine put on top of it. */
  readonly ms: number
  /** How many there were when it began, itself included. */
  readonly atOnce: number
}

const factoryMs = 5
const text = 'x'.repeat(100)

/** Creates a database of this process; those of several are alike as long as all are told of each change. */
export function createDatabase(): Database {
  const changes = new Map<string, number>()
  let running = 0
  let reads: Read[] = []

  function now(key: string): Value {
    return { key, version: changes.get(key) ?? 0, text }
  }

  return {
    async read(key) {
      const began = time()
      const atOnce = ++running
      await new Promise((resolve) => setTimeout(resolve, factoryMs))
      running--
      reads.push({ began, ms: time() - began, atOnce })
      return now(key)
    },
    now,
    change: (key) => void changes.set(key, now(key).version + 1),
    reads() {
      const found = reads
      reads = []
      return found
    },
  }
}

/** In ms since the epoch, finer than `Date.now()`. */
export function time(): number {
  return performance.timeOrigin + performance.now()
}
