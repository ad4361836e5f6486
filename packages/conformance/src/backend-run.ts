import { randomBytes } from 'node:crypto'
import type { Backend } from '@holdfast/core'
import { casesFor } from './case.ts'
import { backendCases } from './cases/index.ts'
import { answers, atMost } from './expect.ts'
import { createBackendGround } from './ground.ts'
import type { Run } from './run.ts'
import type { BackendSubject } from './subject.ts'
import { sail } from './voyage.ts'

/** How long the shared clients may take to come back, and to be closed, before the cases find out for themselves. */
const patience = 5_000

/** Runs the suite on a backend under one fault. */
export async function runBackend(subject: BackendSubject, run: Run): Promise<void> {
  const { fault, onResult, onClaim } = run
  const cases = casesFor(backendCases, run)
  const backend = await subject.create()
  const other = backend.capabilities.shared ? await subject.create() : backend
  claimsOf(backend).forEach(onClaim)
  // Without a connection each case finds that out for itself.
  await Promise.allSettled([answers(backend), answers(other)])

  const prefix = `conformance:${randomBytes(4).toString('hex')}`
  let restoredAt = 0
  let usable = Promise.resolve()
  const crew = {
    subject,
    fault,
    backend,
    other,
    prefix,
    createHoldfast: run.createHoldfast,
    restoredAt: () => restoredAt,
    usable: () => usable,
  }
  try {
    await sail({
      subject,
      fault,
      cases,
      groundOf: (index) => createBackendGround(crew, index),
      onRestored() {
        restoredAt = performance.now()
        usable = Promise.all([backend, other].map((client) => answers(client, patience))).then(
          () => undefined,
        )
        usable.catch(() => undefined)
      },
      onResult,
    })
    await atMost(patience, sweep(backend, `${prefix}:`))
  } finally {
    await atMost(patience, Promise.allSettled([backend.close(), other.close()]))
  }
}

function claimsOf(backend: Backend): string[] {
  const { shared, durable } = backend.capabilities
  const optional = (['getBound', 'sets', 'track', 'watch', 'reset'] as const).filter((part) => backend[part])
  return [...(shared ? ['shared'] : []), ...(durable ? ['durable'] : []), ...optional]
}

/** Leaves nothing behind in somebody's Redis. */
async function sweep(backend: Backend, prefix: string): Promise<void> {
  for await (const keys of backend.scan(prefix)) await Promise.all(keys.map((key) => backend.delete(key)))
}
