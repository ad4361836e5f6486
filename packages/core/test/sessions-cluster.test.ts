import { eventually, startCluster, type Cluster as Servers } from '@holdfast-internal/test-fixtures'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { slotOf } from '../src/backend/redis/slots.ts'
import { createHoldfast, type Holdfast, type Loaded, type Sessions } from '../src/index.ts'
import { digestOfUser } from '../src/session/session-data.ts'

let servers: Servers
beforeAll(async () => {
  servers = await startCluster({ args: ['--cluster-require-full-coverage', 'no'] })
}, 30_000)
afterAll(() => servers.stop())
beforeEach(() =>
  eventually(
    async () => {
      for (const { control } of servers.masters) {
        await control.command('FLUSHALL')
        const info = String(await control.command('CLUSTER', 'INFO'))
        if (!/cluster_state:ok[\s\S]*cluster_slots_fail:0/.test(info)) throw new Error(info)
      }
    },
    { within: 15_000 },
  ),
)

async function start(): Promise<{ holdfast: Holdfast; sessions: Sessions }> {
  const client = new Cluster(servers.masters.map(({ host, port }) => ({ host, port })))
  client.on('error', () => {})
  const holdfast = createHoldfast({ redis: client, prefix: 'hf', logger: false })
  onTestFinished(async () => {
    await holdfast.close()
    client.disconnect()
  })
  const sessions = holdfast.sessions({
    prefix: 'sess:',
    continuity: { secrets: ['a secret of the tests, of 32 bytes and more'] },
    userId: ({ user }) => user as string | undefined,
  })
  await holdfast.ready()
  return { holdfast, sessions }
}

const shardOf = (key: string): number => Math.min(2, Math.floor((slotOf(key) * 3) / 16_384))
const shardOfMarks = shardOf('hf:ended:sess:')

/** A name under which what is stored lives on one of the other shards. */
function elsewhere(keyOf: (name: string) => string, than: readonly number[]): string {
  for (let i = 0; ; i++) if (!than.includes(shardOf(keyOf(`n${i}`)))) return `n${i}`
}

const sessionKey = (id: string): string => `sess:${id}`

async function written(sessions: Sessions, id: string, data: object): Promise<string> {
  const from = sessions.begin()
  await sessions.save(id, { cookie: {}, ...data }, from)
  return sessions.tokenFor(id, { cookie: {}, ...data }, from, () => 0)!
}

const told = (loaded: Loaded): unknown => (loaded.status === 'found' ? loaded.degraded : loaded.status)

it('tells of a logout that the shard of the endings was away for, and lets nobody restore the session meanwhile', async () => {
  const [one, other] = [await start(), await start()]
  const id = elsewhere(sessionKey, [shardOfMarks])
  const token = await written(one.sessions, id, { user: 'ada' })
  expect(told(await other.sessions.load(id, token))).toBe(false)
  const shard = servers.masters[shardOfMarks]!
  await shard.kill()
  await one.sessions.end(id)
  expect(told(await other.sessions.load(id, token))).not.toBe(false)
  await shard.restart()
  await eventually(() => expect(other.sessions.isEnded(id)).toBe(true), { within: 10_000 })
  expect(told(await other.sessions.load(id, token))).toBe('missing')
  const record = servers.masters[shardOf(sessionKey(id))]!
  expect(await record.control.command('EXISTS', sessionKey(id))).toBe(0)
}, 20_000)

it('puts back what one shard has lost of the endings, though nothing was asked of it meanwhile', async () => {
  const one = await start()
  await one.sessions.end('id')
  const shard = servers.masters[shardOfMarks]!
  await shard.kill()
  await shard.restart()
  const marks = (): Promise<unknown> => shard.control.command('ZCARD', 'hf:ended:sess:')
  await eventually(async () => expect(await marks()).toBe(2), { within: 10_000 })
  expect(one.holdfast.state).toBe('healthy')
  expect((await start()).sessions.isEnded('id')).toBe(true)
}, 20_000)

it('lists a device whose login the shard of the list was away for', async () => {
  const [one, other] = [await start(), await start()]
  const listKey = (user: string): string => `hf:user:sess:${digestOfUser(user, 'user', '')}`
  const user = elsewhere(listKey, [shardOfMarks])
  const id = elsewhere(sessionKey, [shardOf(listKey(user)), shardOfMarks])
  const shard = servers.masters[shardOf(listKey(user))]!
  await shard.kill()
  await one.sessions.save(id, { cookie: {}, user }, one.sessions.begin())
  await shard.restart()
  await eventually(async () => expect(await other.sessions.list(user)).toHaveLength(1), { within: 10_000 })
  expect(await other.sessions.endOne(user, other.sessions.handleOf(id))).toBe(true)
}, 20_000)

it('does not say that all sessions were cleared where one shard is away', async () => {
  const { sessions } = await start()
  for (let i = 0; i < 12; i++) await written(sessions, `id${i}`, {})
  const shard = servers.masters[(shardOfMarks + 1) % 3]!
  await shard.kill()
  onTestFinished(() => shard.restart())
  // The client drops what it cannot reach from its list of masters.
  await new Promise((resolve) => setTimeout(resolve, 100))
  await expect(sessions.clear()).rejects.toMatchObject({ code: 'ERR_HOLDFAST_UNAVAILABLE' })
}, 20_000)
