import { randomBytes } from 'node:crypto'
import { casesFor } from './case.ts'
import type { Run } from './run.ts'
import { storeCases } from './store-cases/index.ts'
import { createStoreGround } from './store-ground.ts'
import type { SessionStoreSubject } from './subject.ts'
import { sail } from './voyage.ts'

/** Runs the suite on a session store under one fault. */
export async function runStore(subject: SessionStoreSubject, run: Run): Promise<void> {
  const { fault, onResult, onClaim } = run
  const cases = casesFor(storeCases, run)
  const store = await subject.create()
  if (subject.shared) onClaim('shared')
  if (subject.close) onClaim('close')
  for (const method of ['touch', 'all', 'ids', 'length', 'clear'] as const) if (store[method]) onClaim(method)
  const id = randomBytes(4).toString('hex')
  try {
    await sail({
      subject,
      fault,
      cases,
      groundOf: (index) => createStoreGround({ subject, fault, store, id }, index),
      onRestored: () => undefined,
      onResult,
    })
  } finally {
    await subject.close?.(store)
  }
}
