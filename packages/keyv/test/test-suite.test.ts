import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { Keyv, type KeyvOptions } from 'keyv'
import * as vitest from 'vitest'
import { KeyvHoldfast } from '../src/index.ts'
import { onEach } from './grounds.ts'

type Suite = typeof keyvTestSuite
/** The suite comes with a Vitest of its own, whose types are those of another version. */
const test = vitest as unknown as Parameters<Suite>[0]

vitest.describe('@keyv/test-suite with Keyv 5', () => {
  onEach((ground) => {
    const store = (): KeyvHoldfast => new KeyvHoldfast({ holdfast: ground.holdfast })
    keyvTestSuite(test, Keyv, store)
    keyvIteratorTests(test, Keyv, store)
  })

  vitest.describe('without serialization', () => {
    class PlainKeyv extends Keyv {
      constructor(options: KeyvOptions) {
        super({ ...options, serialize: undefined as never, deserialize: undefined as never })
      }
    }
    onEach((ground) => {
      const store = (): KeyvHoldfast => new KeyvHoldfast({ holdfast: ground.holdfast })
      keyvTestSuite(test, PlainKeyv as typeof Keyv, store)
    })
  })
})
