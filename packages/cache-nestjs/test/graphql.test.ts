import 'reflect-metadata'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import * as common from '@nestjs/common'
import * as core from '@nestjs/core'
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql'
import { ExpressAdapter } from '@nestjs/platform-express'
import { describe, expect, it } from 'vitest'
import { CacheInterceptor, CacheKey, CacheModule } from '../src/index.ts'
import { moduleOf, withServer, type Kit } from './kit.ts'

const kit = { common, core, adapter: ExpressAdapter as unknown as Kit['adapter'] }

describe('the interceptor and GraphQL', () => {
  it('leaves queries alone that have no key, and caches those that have one', async () => {
    let count = 0
    class Counts {
      plain(): number {
        return ++count
      }
      keyed(): number {
        return ++count
      }
    }
    Resolver()(Counts)
    for (const name of ['plain', 'keyed'] as const)
      Query(name)(Counts.prototype, name, Object.getOwnPropertyDescriptor(Counts.prototype, name)!)
    CacheKey('counts')(Counts.prototype, 'keyed', Object.getOwnPropertyDescriptor(Counts.prototype, 'keyed')!)
    const module = moduleOf(kit, {
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          typeDefs: 'type Query { plain: Int, keyed: Int }',
          csrfPrevention: false,
        }),
        CacheModule.register({ redis: 'memory', logger: false }),
      ],
      providers: [Counts, { provide: core.APP_INTERCEPTOR, useClass: CacheInterceptor }],
    })
    await withServer(kit, module, async (fetch) => {
      const ask = async (name: string): Promise<unknown> =>
        JSON.parse((await fetch(`/graphql?query={${name}}`)).body)
      expect(await ask('plain')).toEqual({ data: { plain: 1 } })
      expect(await ask('plain')).toEqual({ data: { plain: 2 } })
      expect(await ask('keyed')).toEqual({ data: { keyed: 3 } })
      expect(await ask('keyed')).toEqual({ data: { keyed: 3 } })
    })
  })
})
