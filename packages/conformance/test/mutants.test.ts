import { runConformance } from '@holdfast/conformance'
import { model } from './model.ts'
import { showMutants } from './mutant-suite.ts'
import { mutants } from './mutants.ts'

showMutants({
  kind: 'backend',
  good: model,
  mutants,
  run: ({ mutate, createHoldfast }, options) =>
    runConformance(model({ ...(mutate && { mutate }) }), {
      ...options,
      ...(createHoldfast && { createHoldfast }),
    }),
})
