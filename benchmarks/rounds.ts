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

/** What came of one of several candidates. */
export interface Standing {
  /** The median of its figures. */
  readonly figure: number
  /** The median of its ratios to the first candidate, round by round. */
  readonly ratio: number
}

/**
 * Measures several candidates in turn, forwards and backwards, after a round that does not count. What is to be compared most
 * closely stands side by side.
 */
export async function compareAll<Of>(
  candidates: readonly Of[],
  measure: (candidate: Of) => Promise<number>,
  rounds: number,
): Promise<Standing[]> {
  return standingsOf(await measureAll(candidates, measure, rounds))
}

/** The same, not summed up yet: the figures of each candidate, round by round. */
export async function measureAll<Of>(
  candidates: readonly Of[],
  measure: (candidate: Of) => Promise<number>,
  rounds: number,
): Promise<number[][]> {
  const figures = candidates.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    const order = [...candidates.keys()]
    for (const which of round % 2 ? order.reverse() : order) {
      const figure = await measure(candidates[which]!)
      if (round >= 0) figures[which]!.push(figure)
    }
  }
  return figures
}

export function standingsOf(figures: readonly (readonly number[])[]): Standing[] {
  return figures.map((own) => ({
    figure: median(own),
    ratio: median(own.map((figure, round) => figure / figures[0]![round]!)),
  }))
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
