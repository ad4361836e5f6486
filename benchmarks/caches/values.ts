/** The sizes of JSON that are measured, in bytes. */
export const sizes = { '100 B': 100, '4 kB': 4_000, '100 kB': 100_000 } as const

export type Size = keyof typeof sizes

/** A value such as caches hold, whose JSON has about so many bytes: a list of records, so that there is something to parse. */
export function valueOf(bytes: number, seed = 0): unknown {
  const records: unknown[] = []
  const count = Math.max(1, Math.round(bytes / 97))
  for (let i = 0; i < count; i++) {
    const id = 100_000 + seed * 7 + i
    records.push({ id, name: `user ${id}`, mail: `u${id}@mail.org`, roles: ['admin'], score: id / 8 })
  }
  return { records }
}

/** Keys, and a function that gives one after the other for ever: callers at the same time ask for different ones. */
export function keysOf(count: number, name: string): { readonly all: readonly string[]; next(): string } {
  const all = Array.from({ length: count }, (_, i) => `${name}:${i}`)
  let i = 0
  return { all, next: () => all[i++ % count]! }
}
