import { expect, it, onTestFinished } from 'vitest'
import { createHoldfast } from '../src/index.ts'

it('remembers of a saved session its data, and not the object of the application, which knows its request', async () => {
  const holdfast = createHoldfast({ redis: 'memory', logger: false })
  onTestFinished(() => holdfast.close())
  const sessions = holdfast.sessions({ rule: 'memory' })
  const session = Object.defineProperty({ cookie: {}, user: 'ada' }, 'req', { value: { large: true } })
  const saved = await sessions.save('id', session, sessions.begin())
  if (saved.status !== 'found') throw new Error(saved.status)
  expect(saved.data).toEqual({ cookie: {}, user: 'ada' })
  for (const kept of [saved.data, saved.entry?.value]) {
    expect(kept).not.toBe(session)
    expect(Object.getOwnPropertyNames(kept)).not.toContain('req')
  }
})
