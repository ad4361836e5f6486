import { describe, expect, it } from 'vitest'
import { resultsPage, type Results } from '../chaos/results.ts'

const sessions: Results = {
  part: 'sessions',
  subject: 'sessions of ours',
  load: 'Under load.',
  table: '| fault |\n| --- |\n| cut |',
  outOfBounds: ['cut, ioredis: 3 requests failed'],
}
const caches: Results = { ...sessions, part: 'caches', subject: 'caches of ours', outOfBounds: [] }
const epoch = new Date(0)

describe('the page of the fault table', () => {
  it('has a table per part, when it was measured, and what is out of bounds', () => {
    const page = resultsPage([sessions, caches], '', epoch)
    expect(page).toContain('## Sessions: sessions of ours\n\n1970-01-01, Node')
    expect(page).toContain('Out of bounds: cut, ioredis: 3 requests failed.')
    expect(page).toContain('## Caches: caches of ours')
    expect(page).toContain('Every row is within bounds.')
  })

  it('keeps the part that did not run this time', () => {
    const before = resultsPage([sessions, caches], '', epoch)
    const page = resultsPage([{ ...sessions, subject: 'sessions, later' }], before, new Date(86_400_000))
    expect(page).toContain('## Sessions: sessions, later\n\n1970-01-02')
    expect(page).not.toContain('sessions of ours')
    expect(page.slice(page.indexOf('## Caches'))).toBe(before.slice(before.indexOf('## Caches')))
    expect(resultsPage([caches], page, epoch)).toContain('sessions, later')
  })
})
