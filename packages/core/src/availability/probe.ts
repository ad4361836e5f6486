import { randomBytes } from 'node:crypto'
import type { Backend } from '../backend/backend.ts'
import { classify, foreignReplyFault, type Fault } from './classify.ts'

/** What a probe found: whether reads and writes are served, and the fault of the one that is not. */
export interface Finding {
  readonly reads: boolean
  readonly writes: boolean
  readonly fault: Fault | undefined
}

/** Asks the primary. Each step is bounded by the caller's deadline. */
export type Probe = (bounded: <T>(operation: () => Promise<T>) => Promise<T>) => Promise<Finding>

const probeTtl = 60_000

/**
 * Creates a probe that writes a fresh value under a key of this process' own and reads it back. PING would not do: it
 * answers under OOM, and fails under MISCONF while reads are fine.
 */
export function createProbe(backend: Backend, prefix: string): Probe {
  const key = `${prefix}:probe:${randomBytes(6).toString('base64url')}`
  return async (bounded) => {
    const token = randomBytes(12)
    // Sent together: a read that overtakes its write cannot be, as both travel on one connection.
    const [write, read] = await Promise.allSettled([
      bounded(() => backend.set(key, token, { ttl: probeTtl })),
      bounded(() => backend.get(key)),
    ])
    if (read.status === 'rejected') return { reads: false, writes: false, fault: classify(read.reason) }
    if (write.status === 'rejected') {
      return { reads: true, writes: false, fault: classify(write.reason) }
    }
    const echoed = read.value !== undefined && Buffer.compare(read.value, token) === 0
    if (!echoed) return { reads: false, writes: false, fault: foreignReplyFault }
    return { reads: true, writes: true, fault: undefined }
  }
}
