import assert from 'node:assert/strict'

/** How much longer than promised anything may take, in ms: the machine is busy, the promise is not about that. */
export const margin = 1_200

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}

/** The bytes are these. */
export function same(actual: unknown, expected: string | Uint8Array, what = 'the entry'): void {
  assert.ok(actual instanceof Uint8Array, `${what} should be bytes, not ${describe(actual)}`)
  const wanted = typeof expected === 'string' ? bytes(expected) : expected
  if (Buffer.compare(actual, wanted) === 0) return
  assert.fail(`${what} should be ${describe(wanted)}, not ${describe(actual)}`)
}

/** There is no such entry. */
export function none(actual: unknown, what = 'the entry'): void {
  assert.equal(actual, undefined, `${what} should be undefined, not ${describe(actual)}`)
}

/** Gives what a promise settles to, if it does so in time. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let stop: (() => void) | undefined
  const late = new Promise<never>((_, reject) => {
    stop = afterOwnTime(ms, () =>
      reject(new assert.AssertionError({ message: `${what} took longer than ${ms} ms` })),
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    stop?.()
  }
}

/**
 * Calls back after so much time in which this process was let run, and after what has arrived by then; gives what stops it.
 * In ten parts, so that a stall counts as a tenth at most: a busy machine is not a late answer.
 */
function afterOwnTime(ms: number, callback: () => void): () => void {
  let left = 10
  const part = ms / left
  let timer = setTimeout(onPart, part)

  function onPart(): void {
    left--
    if (left > 0) timer = setTimeout(onPart, part)
    else setImmediate(callback)
  }

  return () => clearTimeout(timer)
}

/** Waits for a promise, but not for longer than this; neither its failure nor its lateness matters. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  await within(ms, promise, 'it').catch(() => undefined)
}

/** Pings until there is an answer; a ping that hangs may be the last one on a lost connection. */
export function answers(backend: { ping(): Promise<void> }, ms = 5_000): Promise<void> {
  return eventually(() => within(300, backend.ping(), 'a ping'), ms)
}

/** The call rejects or stays pending; any answer would be a guess. */
export async function doesNotAnswer(promise: Promise<unknown>, what: string, ms = 250): Promise<void> {
  const outcome = await Promise.race([
    promise.then(
      (value) => ({ value }),
      () => undefined,
    ),
    pause(ms),
  ])
  if (outcome) assert.fail(`${what} answered ${describe(outcome.value)} although it could not ask`)
}

/** How long to wait between two tries, in ms. */
const between = 20

/** Tries until it holds. A pause that the machine makes longer counts as what it was to be, so the tries are not fewer. */
export async function eventually(check: () => Promise<void>, ms = 4_000): Promise<void> {
  for (let left = ms; ; left -= between) {
    const began = performance.now()
    try {
      return await check()
    } catch (error) {
      left -= performance.now() - began
      if (left <= 0) throw error
    }
    await pause(between)
  }
}

/** It holds, and goes on holding: nothing that comes late undoes it. */
export async function steadily(check: () => Promise<void>, ms = 400): Promise<void> {
  const end = performance.now() + ms
  do {
    await check()
    await pause(50)
  } while (performance.now() < end)
}

export function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => void setTimeout(() => resolve(undefined), ms))
}

function describe(value: unknown): string {
  if (!(value instanceof Uint8Array))
    return value === undefined ? 'undefined' : (JSON.stringify(value) ?? typeof value)
  const text = Buffer.from(value).toString('latin1')
  return value.length > 40
    ? `${value.length} bytes that begin with ${JSON.stringify(text.slice(0, 20))}`
    : JSON.stringify(text)
}
