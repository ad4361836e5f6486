import { randomBytes } from 'node:crypto'
import type { Availability } from '../availability/availability.ts'
import type { Backend } from '../backend/backend.ts'

/** Tells whether the primary came back with the data it had. */
export interface Epoch {
  /** Whether the last recovery found the data lost: Redis restarted empty, or was flushed. */
  readonly dataLost: boolean
}

/**
 * Keeps a random mark in the primary. One that is missing or another after an outage means that the data was lost, so
 * that "not there" no longer means "was ended". Registers its recovery step, which has to run before the journals'.
 */
export function watchEpoch(availability: Availability, backend: Backend, prefix: string): Epoch {
  const key = `${prefix}:epoch`
  const epoch = { dataLost: false }
  let known: Uint8Array | undefined

  availability.onRecovery(async ({ call }) => {
    const fresh = randomBytes(12)
    const answer = await call(() => backend.set(key, fresh, { ifAbsent: true }))
    if (!answer.ok) return answer.fault
    const current = answer.value.written ? fresh : answer.value.current
    epoch.dataLost = known !== undefined && (current === undefined || Buffer.compare(known, current) !== 0)
    known = current
    return undefined
  })
  return epoch
}
