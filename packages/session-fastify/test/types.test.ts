import type { FastifySessionOptions } from '@fastify/session'
import type { Sessions } from '@holdfast/core'
import type { FastifyInstance, FastifyRequest, Session } from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'
import {
  degraded,
  session,
  type HoldfastStore,
  type HoldfastStoreOptions,
  type SessionOptions,
} from '../src/index.ts'

declare module 'fastify' {
  interface Session {
    typed?: { readonly at: number }
  }
}

describe('types', () => {
  it('give request.session its methods and the keys that the application declares', () => {
    type OfRequest = FastifyRequest['session']
    expectTypeOf<OfRequest['typed']>().toEqualTypeOf<{ readonly at: number } | undefined>()
    expectTypeOf<OfRequest['sessionId']>().toBeString()
    expectTypeOf<OfRequest['regenerate']>().toBeFunction()
    expectTypeOf<OfRequest['cookie']['originalMaxAge']>().toEqualTypeOf<number | null>()
  })

  it('give the instance its store, and the store its engine', () => {
    expectTypeOf<FastifyInstance['sessionStore']>().toEqualTypeOf<HoldfastStore>()
    expectTypeOf<HoldfastStore['sessions']>().toEqualTypeOf<Sessions>()
    expectTypeOf(degraded).returns.toEqualTypeOf<false | 'memory' | 'token' | 'empty'>()
  })

  it("take all of @fastify/session's options as they are, and Holdfast's", () => {
    expectTypeOf<Omit<FastifySessionOptions, 'store'>>().toExtend<SessionOptions>()
    const register = (app: FastifyInstance): unknown =>
      app.register(session, {
        secret: ['a', 'b'],
        rolling: false,
        cookie: { secure: 'auto', maxAge: 1 },
        redis: 'redis://localhost',
        continuity: { lifetime: '5m', claims: ({ user }) => ({ user }) },
        userId: ({ user }) => user,
        note: (session) => session.typed,
        rule: 'token',
        ttl: ({ user }) => (user === undefined ? '5m' : undefined),
      })
    expectTypeOf(register).toBeFunction()
    expectTypeOf<{ secret: string; continuity: boolean }>().toExtend<SessionOptions>()
    expectTypeOf<{ secret: string; continuity: '30m' }>().not.toExtend<SessionOptions>()
    expectTypeOf<{ continuity: false }>().not.toExtend<SessionOptions>()
  })

  it("give the options' functions a session as the application declares it", () => {
    expectTypeOf<Parameters<NonNullable<SessionOptions['userId']>>>().toEqualTypeOf<[Readonly<Session>]>()
    expectTypeOf<Parameters<NonNullable<SessionOptions['note']>>>().toEqualTypeOf<[Readonly<Session>]>()
    expectTypeOf<Parameters<NonNullable<HoldfastStoreOptions['userId']>>>().toEqualTypeOf<
      [Readonly<Session>]
    >()
    const note = ({ typed }: Session): unknown => typed
    expectTypeOf<{ secret: string; note: typeof note }>().toExtend<SessionOptions>()
  })

  it('refuse what no session has, and what tells no users apart', () => {
    // @ts-expect-error: it is not declared
    const undeclared: SessionOptions = { secret: '', userId: ({ nobody }) => nobody as string }
    // @ts-expect-error: an object is no user's id
    const object: SessionOptions = { secret: '', userId: ({ typed }) => typed }
    expectTypeOf([undeclared, object]).toBeArray()
  })
})
