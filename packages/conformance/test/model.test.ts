import { describe, it } from 'vitest'
import { conformance } from '@holdfast/conformance'
import { enveloped } from '../src/wrap/enveloped.ts'
import { model } from './model.ts'

conformance(model(), { describe, it })
