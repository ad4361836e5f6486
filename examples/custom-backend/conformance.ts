import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineBackend, type BackendSubject } from '@holdfast/conformance'
import { createFaults } from './faulty.ts'
import { createSqliteBackend } from './sqlite-backend.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
const { fault, wrap } = createFaults()

const subject: BackendSubject = defineBackend({
  name: 'SQLite',
  create: () => wrap(createSqliteBackend(join(folder, 'entries.db'))),
  fault,
  stop: async () => rmSync(folder, { recursive: true }),
})
export default subject
