import { createHoldfast } from '@holdfast/core'
import { eventually, startRedis, type RedisServer } from '@holdfast-internal/test-fixtures'
import expressSession from 'express-session'
import { Redis } from 'ioredis'
import type { RequestHandler } from 'express'
import { execFile } from 'node:child_process'
import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { application, serve } from './browser.ts'
import { HoldfastStore, session, type HoldfastSession } from '../src/index.ts'

const secret = 'a secret of the tests, of 32 bytes and more'

const { publicKey } = generateKeyPairSync('ed25519')

/** The same bytes in the middle of others. */
function viewOf(text: string): DataView {
  const bytes = Buffer.from(`<<${text}>>`)
  return new DataView(bytes.buffer, bytes.byteOffset + 2, bytes.length - 4)
}

/** Calls `session` as JavaScript may, and closes what it gives. */
function create(options: unknown): HoldfastSession {
  const middleware = session(options as never)
  onTestFinished(() => middleware.close())
  return middleware
}

const secretMessage = (given: string): string =>
  'Option "secret" must be a text that is not empty, bytes, a secret KeyObject, or an array of them, as the keys of the ' +
  `continuity token are derived from it ("continuity: false" does without); got ${given}.`

const withSecret = (options: object): unknown => ({ secret, redis: 'memory', logger: false, ...options })
const refusal = (message: unknown): unknown =>
  expect.objectContaining({ code: 'ERR_HOLDFAST_OPTION', message })

describe('session()', () => {
  it.each([undefined, null, {}])('asks for a secret where the options are %j', (options) => {
    expect(() => create(options)).toThrow(refusal(secretMessage('undefined')))
  })

  it.each<[unknown, string]>([
    ['', 'an empty text'],
    ['   ', 'an empty text'],
    [[], 'an empty array'],
    [[secret, ''], 'an array with an empty text'],
    [[secret, undefined], 'an array with undefined'],
    [[secret, 4711], 'an array with a number'],
    [4711, 'a number'],
    [{ key: 's3cret' }, 'an object'],
    [Buffer.alloc(0), 'an object'],
    [publicKey, 'an object'],
  ])('refuses the secret %j, and says of it only what it is', (given, kind) => {
    for (const own of [{}, { continuity: {} }, { continuity: true }, { rule: 'token' }])
      expect(() => create({ secret: given, redis: 'memory', ...own })).toThrow(refusal(secretMessage(kind)))
  })

  it('leaves the secret to express-session where no token needs it', async () => {
    const store = new HoldfastStore({ redis: 'memory', logger: false })
    onTestFinished(() => store.close())
    for (const own of [{ continuity: false }, { rule: 'memory' }, { rule: 'refuse' }, { store }]) {
      const options = 'store' in own ? own : { ...own, redis: 'memory', logger: false }
      expect(() => create({ ...options, secret: [] })).toThrow(TypeError)
      const parser: RequestHandler = (req, _res, next) => next(void Object.assign(req, { secret }))
      const site = await serve(application(parser, create(options)))
      onTestFinished(() => site.close())
      const browser = site.browser()
      await browser.post('/login/ada')
      expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
    }
  })

  it.each([
    ['a KeyObject', createSecretKey(Buffer.from(secret))],
    ['a DataView', viewOf(secret)],
    ['a Buffer', Buffer.from(secret)],
    [
      'a list of KeyObjects',
      [createSecretKey(Buffer.from('another one')), createSecretKey(Buffer.from(secret))],
    ],
  ])('takes %s as its secret, and gives tokens', async (_, given) => {
    const site = await serve(application(create(withSecret({ secret: given }))))
    onTestFinished(() => site.close())
    const browser = site.browser()
    await browser.post('/login/ada')
    expect(browser.token).toBeDefined()
    expect((await browser.get('/me')).body).toMatchObject({ user: 'ada' })
  })

  it.each<[unknown, string]>([
    ['30m', '"30m"'],
    [null, 'null'],
    [0, '0'],
    [[], 'an array'],
  ])('refuses the continuity %j', (continuity, given) => {
    const message = `Option "continuity" must be an object, true, false or left out; got ${given}.`
    expect(() => create(withSecret({ continuity }))).toThrow(refusal(message))
    expect(() => create(withSecret({ continuity, rule: 'memory' }))).toThrow(refusal(message))
  })

  it.each([
    ['continuity.lifeTime', { continuity: { lifeTime: '1h' } }],
    ['continuity.lifeTime', { continuity: { lifeTime: '1h' }, rule: 'memory' }],
    ['continuity.restoreUnwitnessed', { continuity: { restoreUnwitnessed: 'no' } }],
    ['continuity.secrets', { continuity: { secrets: [secret] } }],
    ['rule', { continuity: false, rule: 'token' }],
    ['cookie.maxAge', { cookie: { maxAge: '1h' } }],
    ['cookie.maxAge', { cookie: { maxAge: '60000' } }],
    ['cookie.maxAge', { cookie: { maxAge: Number.NaN } }],
    ['disableTouch', { disableTouch: 'no' }],
  ])('refuses what cannot be right, by the name of %s: %j', (name, options) => {
    expect(() => create(withSecret(options))).toThrow(refusal(expect.stringContaining(`"${name}"`)))
  })

  it.each([
    ['token', {}],
    ['token', { continuity: undefined }],
    ['token', { continuity: true }],
    ['token', { continuity: {} }],
    ['memory', { continuity: false }],
    ['memory', { continuity: {}, rule: 'memory' }],
    ['refuse', { rule: 'refuse' }],
    ['token', { cookie: { maxAge: null } }],
    ['token', { cookie: { maxAge: undefined } }],
    ['token', { cookie: { maxAge: 0 } }],
    ['token', { cookie: () => ({ maxAge: 60_000 }) }],
  ])('runs by the rule %s with %j', (rule, options) => {
    expect(create(withSecret(options)).sessions.rule).toBe(rule)
  })

  it.each([
    ['an object', new expressSession.MemoryStore()],
    ['a function', HoldfastStore],
    ['a text', 'redis://:s3cret@127.0.0.1'],
    ['null', null],
  ])('refuses %s as its store, and shows nothing of it', (kind, store) => {
    expect(() => create({ secret, store })).toThrow(
      refusal(`Option "store" must be a HoldfastStore, or left out; got ${kind}.`),
    )
  })

  it('refuses options of the store beside a store, which has its own', () => {
    const store = new HoldfastStore({ redis: 'memory', logger: false })
    onTestFinished(() => store.close())
    const own = {
      continuity: {},
      userId: () => 'ada',
      note: () => 'phone',
      rule: 'memory',
      redis: 'memory',
      holdfast: store.holdfast,
      prefix: 'a:',
      ttl: '1h',
      logger: false,
    }
    for (const [name, value] of Object.entries(own)) {
      expect(() => create({ secret, store, [name]: value }), name).toThrow(
        refusal(`Option "${name}" must be left out beside "store": give it to the HoldfastStore instead.`),
      )
    }
    const { store: used } = create({ secret, store, rolling: true, name: 'sid', ttl: undefined })
    expect(used).toBe(store)
  })

  it.each([
    ['client', ': name the Redis by "redis"'],
    ['contiunity', ', only '],
    ['maxAge', ', only '],
  ])(
    'refuses the option %s, which there is not, with a store as well, and shows no value',
    (name, instead) => {
      const message = expect.stringMatching(new RegExp(`^There is no option "${name}"${instead}(?!.*s3cret)`))
      const store = new HoldfastStore({ redis: 'memory', logger: false })
      onTestFinished(() => store.close())
      for (const own of [{}, { store }]) {
        const options = { secret, ...own, [name]: 'redis://:s3cret@127.0.0.1' }
        expect(() => create(options)).toThrow(refusal(message))
      }
    },
  )
})

describe('HoldfastStore', () => {
  it('refuses an option that it does not have, such as a client, and shows no value', () => {
    const create = (): unknown => new HoldfastStore({ client: 'redis://:s3cret@127.0.0.1' } as never)
    expect(create).toThrow(refusal('There is no option "client": name the Redis by "redis".'))
  })
})

describe('a refused option', () => {
  let redis: RedisServer
  let client: Redis

  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  const refused = [
    ['ttl', { ttl: 'soon' }],
    ['continuity.lifetime', { continuity: { lifetime: '48h' } }],
    ['genid', { genid: 'x' }],
    ['unset', { unset: 'x' }],
  ] as const

  it.each(refused)('%s leaves no connection behind', async (name, options) => {
    const connections = async (): Promise<number> =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length
    const before = await connections()
    for (let times = 0; times < 3; times++)
      expect(() => create({ secret, redis: redis.url, logger: false, ...options })).toThrow(name)
    // A connection that nobody closes is there after some milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 200))
    await eventually(async () => expect(await connections()).toBe(before))
  })

  it('lets the process end', async () => {
    const script = fileURLToPath(new URL('ends.ts', import.meta.url))
    for (const [name, options] of refused) {
      const args = ['--conditions=@holdfast/source', script, redis.url, JSON.stringify(options)]
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 })
      expect(stdout).toContain(name)
    }
  })

  it('closes no store and no Holdfast that was given', async () => {
    const holdfast = createHoldfast({ redis: redis.url, logger: false })
    onTestFinished(() => holdfast.close())
    const store = new HoldfastStore({ redis: redis.url, logger: false })
    onTestFinished(() => store.close())
    expect(() => create({ secret, store, genid: 'x' })).toThrow('genid')
    expect(() => create({ secret, holdfast, genid: 'x' })).toThrow('genid')
    await store.set('a', { cookie: new expressSession.Cookie() })
    expect(await store.get('a')).not.toBeNull()
    await holdfast.ready()
    expect(holdfast.state).toBe('healthy')
  })
})
