/** Gives the middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

/** Operations per second of so many callers that each wait for their answer before they ask again. */
export async function throughput(
  operation: () => Promise<unknown>,
  callers: number,
  ms: number,
): Promise<number> {
  const began = performance.now()
  const until = began + ms
  let count = 0
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      await operation()
      count++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (count * 1000) / (performance.now() - began)
}

/**
 * Measures two candidates in turn, A B B A A B …, so that a machine whose speed drifts treats both alike. Gives the median of the
 * ratios of neighbours, and of each by itself.
 */
export async function compare(
  a: () => Promise<number>,
  b: () => Promise<number>,
  rounds: number,
): Promise<{ a: number; b: number; ratio: number }> {
  const measured: { a: number; b: number }[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await a()
      measured.push({ a: first, b: await b() })
    } else {
      const first = await b()
      measured.push({ a: await a(), b: first })
    }
  }
  return {
    a: median(measured.map((pair) => pair.a)),
    b: median(measured.map((pair) => pair.b)),
    ratio: median(measured.map((pair) => pair.a / pair.b)),
  }
}

/** Prints rows as a Markdown table. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  console.log(`\n### ${title}\n`)
  console.log([head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'))
}
