/** A Node callback. */
export type Callback<T> = (error: unknown, value?: T) => void

/**
 * Answers a callback exactly once, on a fresh tick: what it throws is its own, and never comes back as a second call.
 * The promise is the answer too where no callback was given, and never rejects where one was. Nobody has to wait for it:
 * `req.session.destroy()` gives neither, and must not end the process.
 */
export function answer<T>(promise: Promise<T>, callback: Callback<T> | undefined): Promise<T> {
  if (!callback) {
    promise.catch(() => undefined)
    return promise
  }
  promise.then(
    (value) => process.nextTick(callback, null, value),
    (error: unknown) => process.nextTick(callback, error),
  )
  return promise.catch(() => undefined as T)
}
