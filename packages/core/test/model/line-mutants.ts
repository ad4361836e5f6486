import type { Backend, SetOptions } from '../../src/backend/backend.ts'
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
    sets: {
      ...sets,
      add(set, members, { publish, ...also } = {}) {
        const kept = is('keeps no tombstones in the primary') ? [] : members
        const told = is('publishes no endings') || !publish ? undefined : { publish }
        return sets.add(set, kept, { ...also, ...told })
      },
      members: (set, range) =>
        is('loads no tombstones') ? sets.members(set, range).then(() => []) : sets.members(set, range),
    },
  }
}
