import { mutant, type Mutant } from './mutant.ts'

export const scanMutants: readonly Mutant[] = [
  mutant('gives every key under a prefix', 'giving the first batch only', (inner) => ({
    async *scan(prefix) {
      for await (const keys of inner.scan(prefix)) yield keys.slice(0, 100)
    },
  })),
  mutant('gives every key under a prefix', 'giving those that hold it anywhere', (inner) => ({
    async *scan(prefix) {
      for await (const keys of inner.scan('')) yield keys.filter((key) => key.includes(prefix))
    },
  })),
  mutant('gives all of five thousand keys', 'stopping at a thousand', (inner) => ({
    async *scan(prefix) {
      let given = 0
      for await (const keys of inner.scan(prefix)) {
        yield keys.slice(0, 1_000 - given)
        given = Math.min(given + keys.length, 1_000)
      }
    },
  })),
  mutant('takes the prefix as plain text', 'taking * for anything', (inner) => ({
    async *scan(prefix) {
      const [head = ''] = prefix.split('*')
      yield* inner.scan(head)
    },
  })),
  mutant('lists keys with newlines', 'listing one key a line', (inner) => ({
    async *scan(prefix) {
      for await (const keys of inner.scan(prefix)) yield keys.map(rename)
    },
  })),
  mutant('gives a key that stays', 'an offset that moves with the deletions', (inner) => ({
    async *scan(prefix) {
      for (let offset = 0; ; offset += 50) {
        const all: string[] = []
        for await (const keys of inner.scan(prefix)) all.push(...keys)
        if (offset >= all.length) return
        yield all
          .toSorted()
          .reverse()
          .slice(offset, offset + 50)
      }
    },
  })),
  mutant('ends without a key', 'one scan at a time', (inner) => {
    let scanning = false
    return {
      async *scan(prefix) {
        if (scanning) return
        scanning = true
        yield* inner.scan(prefix)
        yield []
        scanning = false
      },
    }
  }),
]

function rename(key: string): string {
  return key.replaceAll('\n', ' ')
}
