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
  /** The most reads at once since this was asked last. */
  most(): number
}

export const factoryMs = 5
const text = 'x'.repeat(100)

/** Creates a database of this process; those of several are alike as long as all are told of each change. */
export function createDatabase(): Database {
  const changes = new Map<string, number>()
  let running = 0
  let most = 0

  function now(key: string): Value {
    return { key, version: changes.get(key) ?? 0, text }
  }

  return {
    async read(key) {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, factoryMs))
      running--
      return now(key)
    },
    now,
    change: (key) => void changes.set(key, now(key).version + 1),
    most() {
      const found = most
      most = running
      return found
    },
  }
}
