import { expect, it } from 'vitest'
import { createConnectionState } from '../src/backend/redis/connection-state.ts'

it('tries refused credentials less often after a minute, and anything else as soon as ever', () => {
  const state = createConnectionState()
  const refused = new Error('WRONGPASS invalid username-password pair or user is disabled.')
  let waited = 0
  while (state.pauseBefore(10) < 5_000) {
    waited += state.pauseBefore(10)
    state.note(refused)
  }
  expect(waited).toBeGreaterThan(50_000)
  expect(waited).toBeLessThan(90_000)
  state.note(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
  expect(state.pauseBefore(10)).toBeLessThanOrEqual(300)
})
