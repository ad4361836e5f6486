import { randomBytes } from 'node:crypto'
import { cacheCases } from './cache-cases/index.ts'
import { createCacheGround, together } from './cache-ground.ts'
import { casesFor } from './case.ts'
import { atMost } from './expect.ts'
import type { Run } from './run.ts'
import type { CacheSubject } from './subject.ts'
import { sail } from './voyage.ts'

const patience = 5_000

/** Runs the suite on a cache under one fault. */
export async function runCache(subject: CacheSubject, run: Run): Promise<void> {
  const { fault, onResult, onClaim } = run
  const cases = casesFor(cacheCases, run)
  const space = `conformance-${randomBytes(4).toString('hex')}`
  const cache = await subject.create(space)
  const peer = (await subject.createPeer?.(space)) ?? cache
  for (const claim of ['createPeer', 'plant', 'grace', 'factories', 'close'] as const)
    if (subject[claim]) onClaim(claim)
  for (const method of optional) if (cache[method]) onClaim(method)
  let usable = Promise.resolve()
  const crew = { subject, fault, cache, peer, space, usable: () => usable }
  try {
    await sail({
      subject,
      fault,
      cases,
      groundOf: (index) => createCacheGround(crew, index),
      onRestored() {
        usable = together(cache, peer)
        usable.catch(() => undefined)
      },
      onResult,
    })
  } finally {
    await atMost(patience, Promise.allSettled([cache, peer].map(async (each) => subject.close?.(each))))
  }
}

const optional = ['has', 'getMany', 'setMany', 'deleteMany', 'expire', 'deleteByTag', 'clear'] as const
