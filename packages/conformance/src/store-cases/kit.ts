import { ask, type SessionStore, type StoredSession } from '../session-store.ts'
import type { StoreGround } from '../store-ground.ts'

export type Load = StoredSession | null | undefined

export function get(store: SessionStore, sid: string): Promise<Load> {
  return ask<StoredSession | null>((done) => store.get(sid, done))
}

export function set(store: SessionStore, sid: string, session: StoredSession): Promise<void> {
  return ask<void>((done) => store.set(sid, session, done))
}

export function destroy(store: SessionStore, sid: string): Promise<void> {
  return ask<void>((done) => store.destroy(sid, done))
}

export function touch(store: SessionStore, sid: string, session: StoredSession): Promise<void> {
  return ask<void>((done) => store.touch!(sid, session, done))
}

/** The user of a session, or what was given instead of one. */
export function userOf(loaded: Load): unknown {
  return loaded ? loaded['user'] : 'no session'
}

/** Asks for an optional method. */
export function has(...methods: (keyof SessionStore)[]): (ground: StoreGround) => string | undefined {
  return ({ store }) => {
    const absent = methods.find((method) => typeof store[method] !== 'function')
    return absent && `the store has no ${absent}`
  }
}

/** Asks for something the subject says of itself. */
export function claims(claim: 'shared' | 'close'): (ground: StoreGround) => string | undefined {
  return ({ subject }) => (subject[claim] ? undefined : `the subject does not claim "${claim}"`)
}
