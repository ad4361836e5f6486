import type { BackendGround } from '../ground.ts'

/** Asks for something that a backend may have or not; it says so itself. */
export function needs(
  claim: 'shared' | 'getBound' | 'sets' | 'watch' | 'reset' | 'track',
): (ground: BackendGround) => string | undefined {
  return ({ backend }) => {
    if (claim === 'shared') return backend.capabilities.shared ? undefined : 'capabilities.shared is false'
    return backend[claim] ? undefined : `the backend has no ${claim}`
  }
}
