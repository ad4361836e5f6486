import type { CacheGround } from '../cache-ground.ts'
import type { Case } from '../case.ts'
import { fleet } from './fleet.ts'
import { flight } from './flight.ts'
import { lifetime } from './lifetime.ts'
import { outage } from './outage.ts'
import { scope } from './scope.ts'
import { size } from './size.ts'
import { stale } from './stale.ts'
import { values } from './values.ts'

/** Every promise that a cache makes. */
export const cacheCases: readonly Case<CacheGround>[] = [
  values,
  lifetime,
  scope,
  size,
  flight,
  fleet,
  outage,
  stale,
].flatMap(({ cases }) => cases)
