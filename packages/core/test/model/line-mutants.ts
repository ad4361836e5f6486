import type { Backend, Member, SetOptions } from '../../src/backend/backend.ts'
import { is } from './active-mutant.ts'

/** A line that breaks the promise of the mutant that is active. */
export function brokenLine(backend: Backend): Backend {
  let writes = 0
  const sets = backend.sets!

  function broken(options: SetOptions = {}): SetOptions {
    const { ifAbsent, ifVersion, ...others } = options
    if (is('restores without set-if-absent') && ifAbsent) return others
    if (is('drops the version check') && ifVersion !== undefined) return others
    return options
  }

  return {
    ...backend,
    set(key, value, options) {
      const isLost = is('loses every other write') && key.includes('session') && writes++ % 2 === 1
      return isLost ? Promise.resolve({ written: true }) : backend.set(key, value, broken(options))
    },
    subscribe: (channel, listener, hearing) =>
      backend.subscribe(
        channel,
        listener,
        is('does not notice a gap in what it hears') ? undefined : hearing,
      ),
    sets: {
      ...sets,
      add(set, members, { publish, ...also } = {}) {
        const kept = is('keeps no tombstones in the primary') ? members.filter(isNote) : members
        const told = is('publishes no endings') || !publish ? undefined : { publish }
        return sets.add(set, kept, { ...also, ...told })
      },
      async members(set, range) {
        const members = await sets.members(set, range)
        return is('loads no tombstones') ? members.filter(isNote) : members
      },
    },
  }
}

/** Not a tombstone, but the note of since when they are complete. */
function isNote([member]: Member): boolean {
  return member.startsWith('c')
}
