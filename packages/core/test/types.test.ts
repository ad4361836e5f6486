import { describe, expectTypeOf, it } from 'vitest'
import type { Cache } from '../src/index.ts'

interface User {
  readonly name: string
  readonly team: number
}

declare function loadUser(id: string, options?: { readonly signal: AbortSignal }): Promise<User>

/** Is compiled, and never run: what the calls give is used, as `unknown` could be assigned to all that is only compared. */
async function calls(cache: Cache) {
  const plain = await cache.getOrSet('key', () => loadUser('1'))
  const withContext = await cache.getOrSet('key', ({ signal }) => loadUser('1', { signal }), { tags: ['a'] })
  const byName = await cache.getOrSet<User>('key', ({ stale }) => {
    expectTypeOf(stale).toEqualTypeOf<User | undefined>()
    return stale ?? loadUser('1')
  })
  const byValue = await cache.getOrSet('key', ({ signal }) => loadUser('1', { signal }), {
    ttl: (user) => user.team * 1_000,
    tags: ({ team }) => [`team:${team}`],
  })
  const perhaps = await cache.getOrSet<User | undefined>('key', () => undefined, { negative: '1m' })
  const unread = await cache.getOrSet('key', ({ stale }) => {
    expectTypeOf(stale).toBeUnknown()
    return { name: 'made', team: 1 }
  })
  const wrapped = cache.wrap((id: string) => loadUser(id), { key: 'user', ttl: (user) => user.team })
  return {
    names: [plain, withContext, byName, byValue, unread, await wrapped('1')].map(({ name }) => name),
    perhaps,
  }
}

describe('types', () => {
  it('tell what a factory gives, whether it takes its context or not', () => {
    expectTypeOf(calls).returns.resolves.toEqualTypeOf<{ names: string[]; perhaps: User | undefined }>()
  })
})
