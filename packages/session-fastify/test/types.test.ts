import type { FastifySessionOptions } from '@fastify/session'
import type { Sessions } from '@holdfast/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'
import { degraded, session, type HoldfastStore, type SessionOptions } from '../src/index.ts'

declare module 'fastify' {
  interface Session {
    typed?: { readonly at: number }
  }
}

describe('types', () => {
  it('give request.session its methods and the keys that the application declares', () => {
    type Session = FastifyRequest['session']
    expectTypeOf<Session['typed']>().toEqualTypeOf<{ readonly at: number } | undefined>()
    expectTypeOf<Session['sessionId']>().toBeString()
    expectTypeOf<Session['regenerate']>().toBeFunction()
    expectTypeOf<Session['cookie']['originalMaxAge']>().toEqualTypeOf<number | null>()
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
        userId: ({ user }) => user as string,
        rule: 'token',
        ttl: '1h',
      })
    expectTypeOf(register).toBeFunction()
    expectTypeOf<{ secret: string; continuity: true }>().not.toExtend<SessionOptions>()
    expectTypeOf<{ continuity: false }>().not.toExtend<SessionOptions>()
  })
})
