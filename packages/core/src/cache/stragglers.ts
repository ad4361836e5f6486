import { randomBytes } from 'node:crypto'
import type { RecoveryStep } from '../availability/recovery.ts'
import type { ExpiringSets } from '../backend/backend.ts'
import type { Clock } from '../clock.ts'
import type { Milliseconds } from '../units.ts'

/** Processes that have much to bring to the primary after an outage say so, and the others wait for them. */
export interface Stragglers {
  /** Says so, before it is brought. */
  readonly tell: RecoveryStep
  /** Takes it back afterwards. */
  readonly withdraw: RecoveryStep
  /** Whether another process is still at it. Where that cannot be asked, nobody is waited for. */
  areThere(): Promise<boolean>
}

/** What takes no more than a round trip or two is there before anybody could have asked. */
const worthTelling = 128
/** For how long a process is waited for that ends meanwhile. */
const patience: Milliseconds = 10_000

/** Creates the stragglers of one cache, which stand in the set `name`. */
export function createStragglers(options: {
  /** Left out: nobody can say so. */
  readonly sets: ExpiringSets | undefined
  readonly name: string
  readonly clock: Clock
  /** How many decisions this process has to bring. */
  readonly undecided: () => number
}): Stragglers {
  const { sets, name, clock, undecided } = options
  const self = randomBytes(9).toString('base64url')
  let isTold = false

  return {
    async tell({ call }) {
      if (!sets || undecided() <= worthTelling) return undefined
      isTold = true
      // Whether it can be told or not: what matters is what is brought next.
      await call(() => sets.add(name, [[self, clock.now() + patience]]))
      return undefined
    },
    async withdraw({ call }) {
      if (isTold) await call(() => sets!.remove(name, [self]))
      isTold = false
      return undefined
    },
    async areThere() {
      try {
        const there = await sets?.members(name, { from: clock.now(), limit: 2 })
        return there?.some(([member]) => member !== self) ?? false
      } catch {
        return false
      }
    },
  }
}
