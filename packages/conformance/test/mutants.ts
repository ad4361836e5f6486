import type { Mutant } from './mutant.ts'
import { conditionMutants, expiryMutants } from './mutants-conditions.ts'
import { lifecycleMutants } from './mutants-lifecycle.ts'
import { lateMutants } from './mutants-late.ts'
import { outageMutants } from './mutants-outage.ts'
import { scanMutants } from './mutants-scan.ts'
import { setMutants } from './mutants-sets.ts'
import { setScanMutants, trackingMutants } from './mutants-tracking.ts'
import { valueMutants } from './mutants-values.ts'

/** One mutant at least for each promise of a backend. */
export const mutants: readonly Mutant[] = [
  ...valueMutants,
  ...expiryMutants,
  ...conditionMutants,
  ...scanMutants,
  ...setMutants,
  ...setScanMutants,
  ...trackingMutants,
  ...lifecycleMutants,
  ...outageMutants,
  ...lateMutants,
]
