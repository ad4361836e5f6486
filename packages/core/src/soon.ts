/** Calls after the code that runs now. Not by `queueMicrotask`, which test runners replace where they fake the time. */
export function soon(callback: () => void): void {
  void afterThis(callback)
}

async function afterThis(callback: () => void): Promise<void> {
  await Promise.resolve()
  callback()
}
