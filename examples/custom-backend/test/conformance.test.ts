import { describe, it } from 'vitest'
import { conformance } from '@holdfast/conformance'
import sqlite from '../conformance.ts'

conformance(sqlite, { describe, it })
