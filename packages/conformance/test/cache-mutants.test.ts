import { runConformance } from '@holdfast/conformance'
import { contractMutants } from './cache-mutants-contract.ts'
import { fleetMutants } from './cache-mutants-fleet.ts'
import { outageMutants } from './cache-mutants-outage.ts'
import { modelCache } from './model-cache.ts'
import { showMutants } from './mutant-suite.ts'

showMutants({
  kind: 'cache',
  good: modelCache,
  mutants: [...contractMutants, ...fleetMutants, ...outageMutants],
  run: (mutant, options) => runConformance(modelCache(mutant), options),
})
