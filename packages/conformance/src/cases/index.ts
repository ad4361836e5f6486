import type { Case } from '../case.ts'
import type { BackendGround } from '../ground.ts'
import { conditions } from './conditions.ts'
import { expiry } from './expiry.ts'
import { lifecycle } from './lifecycle.ts'
import { outageLate } from './outage-late.ts'
import { outageSessions } from './outage-sessions.ts'
import { outage } from './outage.ts'
import { pubsub } from './pubsub.ts'
import { scan } from './scan.ts'
import { sets } from './sets.ts'
import { tracking } from './tracking.ts'
import { values } from './values.ts'

/** Every promise that a backend makes. */
export const backendCases: readonly Case<BackendGround>[] = [
  values,
  expiry,
  conditions,
  scan,
  pubsub,
  sets,
  tracking,
  lifecycle,
  outage,
  outageSessions,
  outageLate,
].flatMap(({ cases }) => cases)
