import { Signer } from '@fastify/cookie'
import fastify from 'fastify'
import { createSecretKey } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HoldfastStore, session } from '../src/index.ts'
import { secret } from './site.ts'

/** Registers the plugin as JavaScript may, and gives its store once the application is ready. */
async function register(options: object): Promise<HoldfastStore> {
  const app = fastify()
  onTestFinished(() => app.close())
  app.register(session, options as never)
  await app.ready()
  return app.sessionStore
}

const withSecret = (options: object): object => ({ secret, redis: 'memory', logger: false, ...options })
const refusal = (message: unknown): unknown =>
  expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION', message })

function memoryStore(): HoldfastStore {
  const store = new HoldfastStore({ redis: 'memory', logger: false })
  onTestFinished(() => store.close())
  return store
}

describe('the plugin', () => {
  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty text'],
    ['   ', 'an empty text'],
    [[], 'an empty array'],
    [[secret, ''], 'an array with an empty text'],
    [[secret, 4711], 'an array with a number'],
    [4711, 'a number'],
    [[new Uint8Array(32)], 'an array with an object'],
    [[createSecretKey(Buffer.alloc(32))], 'an array with an object'],
    [{ key: 's3cret' }, 'an object'],
  ])('refuses the secret %j by its own name, and says of it only what it is', async (given, kind) => {
    const refused = refusal(
      `Option "secret" must be a text that is not empty, an array of such texts or Buffers, or a signer; got ${kind}.`,
    )
    for (const own of [{}, { continuity: {} }, { continuity: false }])
      await expect(register(withSecret({ ...own, secret: given }))).rejects.toThrow(refused as Error)
    await expect(register({ secret: given, store: memoryStore() })).rejects.toThrow(refused as Error)
  })

  it.each<[unknown, string]>([
    ['30m', '"30m"'],
    [null, 'null'],
    [0, '0'],
    [[], 'an array'],
  ])('refuses the continuity %j', async (continuity, given) => {
    const message = `Option "continuity" must be an object, true, false or left out; got ${given}.`
    await expect(register(withSecret({ continuity }))).rejects.toThrow(refusal(message) as Error)
  })

  it.each([
    ['continuity.lifeTime', { continuity: { lifeTime: '1h' } }],
    ['continuity.restoreUnwitnessed', { continuity: { restoreUnwitnessed: 'no' } }],
    ['continuity.secrets', { continuity: { secrets: [''] } }],
    ['continuity.secrets', { continuity: true, secret: new Signer(secret) }],
    ['cookie.maxAge', { cookie: { maxAge: '1h' } }],
    ['cookie.maxAge', { cookie: { maxAge: '60000' } }],
    ['cookie.maxAge', { cookie: { maxAge: Infinity } }],
  ])('refuses what cannot be right, by the name of %s: %j', async (name, options) => {
    const message = expect.stringContaining(`"${name}"`)
    await expect(register(withSecret(options))).rejects.toThrow(refusal(message) as Error)
  })

  it.each([
    ['token', {}],
    ['token', { continuity: undefined }],
    ['token', { continuity: true }],
    ['token', { continuity: {} }],
    ['token', { secret: [Buffer.from(secret)] }],
    ['token', { continuity: { secrets: [createSecretKey(Buffer.from(secret))] } }],
    ['token', { secret: new Signer(secret), continuity: { secrets: [secret] } }],
    ['memory', { continuity: false }],
    ['memory', { secret: new Signer(secret) }],
    ['refuse', { rule: 'refuse' }],
    ['token', { cookie: { maxAge: null } }],
    ['token', { cookie: { maxAge: 0 } }],
    ['token', { prefix: '/shop', logLevel: 'warn', logSerializers: {} }],
  ])('runs by the rule %s with %j', async (rule, options) => {
    expect((await register(withSecret(options))).sessions.rule).toBe(rule)
  })

  it.each([
    ['client', ': name the Redis by "redis"'],
    ['contiunity', ', only '],
    ['maxAge', ', only '],
  ])(
    'refuses the option %s, which there is not, with a store as well, and shows no value',
    async (name, instead) => {
      const message = expect.stringMatching(new RegExp(`^There is no option "${name}"${instead}(?!.*s3cret)`))
      for (const own of [{}, { store: memoryStore() }]) {
        const options = { secret, ...own, [name]: 'redis://:s3cret@127.0.0.1' }
        await expect(register(options)).rejects.toThrow(refusal(message) as Error)
      }
    },
  )

  it.each([
    ['an object', new Map()],
    ['a text', 'redis://:s3cret@127.0.0.1'],
    ['null', null],
  ])('refuses %s as its store, and shows nothing of it', async (kind, store) => {
    const message = `Option "store" must be a HoldfastStore, or left out; got ${kind}.`
    await expect(register({ secret, store })).rejects.toThrow(refusal(message) as Error)
  })

  it("refuses options of the store beside a store, but for the names that are Fastify's, too", async () => {
    const store = memoryStore()
    const own = { continuity: {}, userId: () => 'ada', rule: 'memory', redis: 'memory', ttl: '1h' }
    for (const [name, value] of Object.entries(own)) {
      const message = `Option "${name}" must be left out beside "store": give it to the HoldfastStore instead.`
      await expect(register({ secret, store, [name]: value })).rejects.toThrow(refusal(message) as Error)
    }
    const used = await register({ secret, store, prefix: '/shop', logLevel: 'warn', rolling: false })
    expect(used).toBe(store)
  })
})

describe('HoldfastStore', () => {
  it('refuses an option that it does not have, such as a client, and shows no value', () => {
    const create = (): unknown => new HoldfastStore({ client: 'redis://:s3cret@127.0.0.1' } as never)
    expect(create).toThrow(refusal('There is no option "client": name the Redis by "redis".') as Error)
  })
})
