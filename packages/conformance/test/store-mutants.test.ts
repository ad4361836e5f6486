import { runConformance } from '@holdfast/conformance'
import { modelStore } from './model-store.ts'
import { showMutants } from './mutant-suite.ts'
import { storeMutants } from './store-mutants.ts'

showMutants({
  kind: 'session store',
  good: modelStore,
  mutants: storeMutants,
  run: ({ mutation }, options) => runConformance(modelStore(mutation), options),
  lanes: storeMutants.length,
})
