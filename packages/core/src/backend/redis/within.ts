import type { Milliseconds } from '../../units.ts'

/** Gives what a promise gives, or rejects with `ETIMEDOUT` once `ms` have passed. The promise itself goes on. */
export function within<T>(ms: Milliseconds, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error(`${what} took longer than ${ms} ms.`), { code: 'ETIMEDOUT' }))
    }, ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
