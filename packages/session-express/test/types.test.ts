import type { SessionData } from 'express-session'
import { describe, expectTypeOf, it } from 'vitest'
import {
  session,
  type HoldfastSession,
  type HoldfastStoreOptions,
  type SessionOptions,
} from '../src/index.ts'

declare module 'express-session' {
  interface SessionData {
    typed?: { readonly id: number }
  }
}

describe('types', () => {
  it("give the options' functions a session as the application declares it, as far as it is there", () => {
    type Given = Readonly<Partial<SessionData>>
    expectTypeOf<Parameters<NonNullable<SessionOptions['userId']>>>().toEqualTypeOf<[Given]>()
    expectTypeOf<Parameters<NonNullable<SessionOptions['note']>>>().toEqualTypeOf<[Given]>()
    expectTypeOf<Parameters<NonNullable<HoldfastStoreOptions['userId']>>>().toEqualTypeOf<[Given]>()
    const create = (secret: string): HoldfastSession =>
      session({
        secret,
        userId: ({ user }) => user,
        note: ({ typed }) => {
          expectTypeOf(typed).toEqualTypeOf<{ readonly id: number } | undefined>()
          return { typed }
        },
        ttl: ({ user }) => (user === undefined ? '5m' : undefined),
        continuity: { lifetime: '30m', claims: ({ user, typed }) => ({ user, typed }) },
      })
    expectTypeOf(create).returns.toEqualTypeOf<HoldfastSession>()
    expectTypeOf<{
      secret: string
      userId: (session: Partial<SessionData>) => number | undefined
    }>().toExtend<SessionOptions>()
  })

  it('refuse what no session has, and what tells no users apart', () => {
    // @ts-expect-error: it is not declared
    const undeclared: SessionOptions = { secret: '', userId: ({ nobody }) => nobody as string }
    // @ts-expect-error: an object is no user's id
    const object: SessionOptions = { secret: '', userId: ({ typed }) => typed }
    expectTypeOf([undeclared, object]).toBeArray()
  })

  it('take the continuity token as true, false or its options', () => {
    expectTypeOf<{ secret: string; continuity: boolean }>().toExtend<SessionOptions>()
    expectTypeOf<{ secret: string; continuity: '30m' }>().not.toExtend<SessionOptions>()
    expectTypeOf<{ secret: string; continuity: { lifeTime: '1h' } }>().not.toExtend<SessionOptions>()
  })
})
