import type { Case } from '../case.ts'
import type { StoreGround } from '../store-ground.ts'
import { contract } from './contract.ts'
import { lifetime } from './lifetime.ts'
import { storeOutage } from './outage.ts'

/** Every promise that a session store makes. */
export const storeCases: readonly Case<StoreGround>[] = [contract, lifetime, storeOutage].flatMap(
  ({ cases }) => cases,
)
