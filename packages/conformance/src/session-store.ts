/** A session as express-session hands it to a store. */
export interface StoredSession {
  cookie: {
    originalMaxAge?: number | null
    maxAge?: number | null
    expires?: Date | string | null | boolean
    [option: string]: unknown
  }
  [key: string]: unknown
}

export type Callback<T> = (error: unknown, value?: T) => void

/** What express-session asks of a store; the optional methods are those it marks as recommended or optional. */
export interface SessionStore {
  get(sid: string, callback: Callback<StoredSession | null>): unknown
  set(sid: string, session: StoredSession, callback?: Callback<void>): unknown
  destroy(sid: string, callback?: Callback<void>): unknown
  touch?(sid: string, session: StoredSession, callback?: Callback<void>): unknown
  all?(callback: Callback<StoredSession[] | Record<string, StoredSession>>): unknown
  length?(callback: Callback<number>): unknown
  clear?(callback?: Callback<void>): unknown
  ids?(callback: Callback<string[]>): unknown
}

/** Calls a method of a store and gives what it calls back with; rejects with its error. */
export function ask<T>(call: (callback: Callback<T>) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null || error === undefined) resolve(value)
      else
        reject(
          error instanceof Error ? error : new Error('The store called back with an error that is no Error.'),
        )
    })
  })
}
