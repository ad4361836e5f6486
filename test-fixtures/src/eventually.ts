/** Polls until a check stops throwing, and gives its result; after `within` ms it throws what the check last threw. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { within = 5_000, every = 10 }: { within?: number; every?: number } = {},
): Promise<T> {
  const until = performance.now() + within
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, every))
    }
  }
}
