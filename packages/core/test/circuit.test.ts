import { describe, expect, it } from 'vitest'
import { afterFailure, allows, closed, open, starting, type Circuit } from '../src/availability/circuit.ts'
import { classify, deadlineFault, lostFault } from '../src/availability/classify.ts'

const oom = classify(Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }))
const wrongType = classify(Object.assign(new Error('WRONGTYPE no'), { name: 'ReplyError' }))
const wrongPass = classify(Object.assign(new Error('WRONGPASS no'), { name: 'ReplyError' }))
const doubtful = { silent: false, tripAfter: 3 }

function afterFailures(count: number, from: Circuit = closed): Circuit {
  return Array.from({ length: count }).reduce<Circuit>(
    (at) => afterFailure(at, deadlineFault, doubtful),
    from,
  )
}

describe('the circuit', () => {
  it('trips on the last of so many doubtful failures in a row, not before', () => {
    expect(afterFailures(2)).toMatchObject({ at: 'closed', failures: 2 })
    expect(afterFailures(3)).toMatchObject({ at: 'open', scope: 'everything' })
  })

  it('trips at once on a certain fault, and on a timeout in which nothing was heard', () => {
    expect(afterFailure(closed, lostFault, doubtful).at).toBe('open')
    expect(afterFailure(closed, deadlineFault, { silent: true, tripAfter: 1000 }).at).toBe('open')
  })

  it('never trips on what one command did wrong', () => {
    expect(afterFailure(closed, wrongType, { silent: true, tripAfter: 1 })).toBe(closed)
  })

  it('lets reads through while only writes are refused', () => {
    const circuit = afterFailure(closed, oom, doubtful)
    expect(allows(circuit, 'read')).toBe(true)
    expect(allows(circuit, 'write')).toBe(false)
  })

  it('takes reads away too when the connection is lost on top of refused writes', () => {
    expect(allows(afterFailure(open(oom), lostFault, doubtful), 'read')).toBe(false)
  })

  it('stops everything while open, and lets the first calls try while starting', () => {
    for (const access of ['read', 'write'] as const) {
      expect(allows(open(lostFault), access)).toBe(false)
      expect(allows(starting, access)).toBe(true)
      expect(allows(closed, access)).toBe(true)
    }
  })

  it('opens again when settling fails half-way', () => {
    const halfOpen: Circuit = { at: 'half-open', scope: 'everything', fault: lostFault }
    expect(afterFailure(halfOpen, deadlineFault, doubtful).at).toBe('open')
  })

  it('learns the cause of an outage from what comes later, and forgets none that says more', () => {
    const known = afterFailure(open(lostFault), wrongPass, doubtful)
    expect(known).toMatchObject({ fault: { code: 'WRONGPASS' } })
    expect(afterFailure(known, lostFault, doubtful)).toMatchObject({ fault: { code: 'WRONGPASS' } })
  })
})
