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
  take(set: SetCookies): void
  dropToken(): void
}

export function createBrowser(index: number): Browser {
  let jar: Cookies = { id: undefined, token: undefined }
  return {
    index,
    get jar() {
      return jar
    },
    take({ id = jar.id, token = jar.token }) {
      jar = { id: id ?? undefined, token: token ?? undefined }
    },
    dropToken() {
      jar = { ...jar, token: undefined }
    },
  }
}
