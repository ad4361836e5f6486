import type { Floors } from './known-writes.ts'

/** The two cookies of a visitor. */
export interface Cookies {
  readonly id: string | undefined
  readonly token: string | undefined
}

/** What a response does to the cookies: sets one, clears it (`null`), or, where it is left out, leaves it as it is. */
export interface SetCookies {
  readonly id?: string | null
  readonly token?: string | null
}

/** A browser's cookie jar, and what was copied from it. */
export interface Browser {
  readonly index: number
  readonly jar: Cookies
  /** What its session holds at least, by what the last response was made of. */
  readonly owed: Floors
  take(set: SetCookies, session: { readonly id: string; readonly floors: Floors }): void
  dropToken(): void
}

export function createBrowser(index: number): Browser {
  let jar: Cookies = { id: undefined, token: undefined }
  let owed: Floors = new Map()
  return {
    index,
    get jar() {
      return jar
    },
    get owed() {
      return owed
    },
    take({ id = jar.id, token = jar.token }, session) {
      jar = { id: id ?? undefined, token: token ?? undefined }
      // A late response of an earlier session says nothing of this one.
      if (session.id === jar.id) owed = session.floors
    },
    dropToken() {
      jar = { ...jar, token: undefined }
      owed = new Map()
    },
  }
}
