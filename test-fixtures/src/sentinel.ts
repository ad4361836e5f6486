import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { startRedis, type RedisServer } from './redis-server.ts'
import { startServer } from './start-server.ts'

export interface SentinelOptions {
  /** 1 by default. */
  readonly replicas?: number
  /** 1 by default. Two have to agree where there are three. */
  readonly sentinels?: 1 | 3
  /** How long the master is away before it counts as down, in ms: 500 by default. */
  readonly downAfter?: number
  /** Further arguments for the master and its replicas. */
  readonly args?: readonly string[]
}

/** A master, its replicas and the Sentinels that watch over them, each to be broken by itself. */
export interface Sentinel {
  /** The name under which Sentinels know the master. */
  readonly name: 'mymaster'
  /** The server that began as the master. */
  readonly master: RedisServer
  /** The servers that began as its replicas. */
  readonly replicas: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** The server that is the master by now, as the first running Sentinel has it. */
  current(): Promise<RedisServer>
  stop(): Promise<void>
}

const name = 'mymaster'

/** Starts a master, its replicas and Sentinels, and resolves once all of them know each other. */
export async function startSentinel(options: SentinelOptions = {}): Promise<Sentinel> {
  const { replicas: count = 1, sentinels: watchers = 1, args = [] } = options
  const started: RedisServer[] = []
  const stop = async (): Promise<void> => void (await Promise.all(started.map((server) => server.stop())))
  const keep = async (starting: Promise<RedisServer>): Promise<RedisServer> => {
    const server = await starting
    started.push(server)
    return server
  }
  try {
    const master = await keep(startRedis({ args }))
    const replicas: RedisServer[] = []
    for (let i = 0; i < count; i++) replicas.push(await keep(startReplica(master, args)))
    await Promise.all(replicas.map(isLinked))
    const sentinels: RedisServer[] = []
    for (let i = 0; i < watchers; i++) sentinels.push(await keep(startOne(master, options)))
    await getAcquainted(sentinels, count)
    return {
      name,
      master,
      replicas,
      sentinels,
      current: () => currentMaster(sentinels, [master, ...replicas]),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function startReplica({ host, port }: RedisServer, args: readonly string[]): Promise<RedisServer> {
  return startRedis({ args: ['--replicaof', host, String(port), ...args] })
}

async function isLinked({ control }: RedisServer): Promise<void> {
  await eventually(async () => {
    const info = String(await control.command('INFO', 'replication'))
    if (!info.includes('master_link_status:up')) throw new Error(info)
  })
}

/** A Sentinel keeps what it knows in its own configuration, so that it is written once only. */
function startOne(
  master: RedisServer,
  { sentinels = 1, downAfter = 500 }: SentinelOptions,
): Promise<RedisServer> {
  let isWritten = false
  return startServer({
    arguments({ port, folder }) {
      const path = join(folder, 'sentinel.conf')
      if (!isWritten) {
        const monitored = `${master.host} ${master.port} ${sentinels === 1 ? 1 : 2}`
        const lines = [
          ...[`port ${port}`, 'bind 127.0.0.1', `dir "${folder}"`],
          ...[
            `sentinel monitor ${name} ${monitored}`,
            `sentinel down-after-milliseconds ${name} ${downAfter}`,
          ],
          ...[`sentinel failover-timeout ${name} 3000`, `sentinel parallel-syncs ${name} 1`, ''],
        ]
        writeFileSync(path, lines.join('\n'))
        isWritten = true
      }
      return [path, '--sentinel']
    },
    empty: () => (isWritten = false),
  })
}

/** They would take 2 s to hear of each other: until then they speak more often. */
async function getAcquainted(sentinels: readonly RedisServer[], replicas: number): Promise<void> {
  await Promise.all(sentinels.map(({ control }) => publishEvery(control, 100)))
  await Promise.all(
    sentinels.map(({ control }) =>
      eventually(
        async () => {
          const known = (await control.command('SENTINEL', 'REPLICAS', name)) as unknown[]
          const peers = (await control.command('SENTINEL', 'SENTINELS', name)) as unknown[]
          const isComplete = known.length === replicas && peers.length === sentinels.length - 1
          if (!isComplete)
            throw new Error(`A Sentinel knows ${known.length} replicas and ${peers.length} Sentinels.`)
        },
        { within: 10_000 },
      ),
    ),
  )
  await Promise.all(sentinels.map(({ control }) => publishEvery(control, 2_000)))
}

async function publishEvery(control: RedisServer['control'], ms: number): Promise<void> {
  await control.command('SENTINEL', 'DEBUG', 'publish-period', String(ms))
}

async function currentMaster(
  sentinels: readonly RedisServer[],
  servers: readonly RedisServer[],
): Promise<RedisServer> {
  const asked = sentinels.find(({ running }) => running)
  if (!asked) throw new Error('No Sentinel is running.')
  const [, port] = (await asked.control.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [
    string,
    string,
  ]
  const found = servers.find((server) => server.port === Number(port))
  if (!found) throw new Error(`The Sentinels know of a master on port ${port} that is none of theirs.`)
  return found
}
