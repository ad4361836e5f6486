import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startRedis, type RedisServer } from './redis-server.ts'

export interface ClusterOptions {
  /** 3 by default. */
  readonly masters?: number
  /** Of each master: 0 (the default) or 1. */
  readonly replicas?: 0 | 1
  /** How long a node is away before the others act on it, in ms: 1,000 by default. */
  readonly nodeTimeout?: number
  /** Further arguments for each node. */
  readonly args?: readonly string[]
}

/** A real Redis Cluster of nodes that can be broken one by one. */
export interface Cluster {
  /** The nodes that began as masters, in the order of their slots. */
  readonly masters: readonly RedisServer[]
  /** `replicas[i]` began as the replica of `masters[i]`. */
  readonly replicas: readonly RedisServer[]
  /** All of them. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

const slots = 16_384

/** Starts a cluster and resolves once every node says that it is well: after 2 s, which is Redis' own delay. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { masters: count = 3, replicas = 0 } = options
  const started = await Promise.allSettled(
    Array.from({ length: count * (1 + replicas) }, () => startNode(options)),
  )
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map(({ server }) => server.stop())))
  try {
    const failed = started.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
    await join(nodes, count)
    await Promise.all(nodes.map(({ server }) => isWell(server, nodes.length)))
  } catch (error) {
    await stop()
    throw error
  }
  const servers = nodes.map(({ server }) => server)
  return { nodes: servers, masters: servers.slice(0, count), replicas: servers.slice(count), stop }
}

interface Node {
  readonly server: RedisServer
  readonly bus: string
}

async function startNode({ nodeTimeout = 1_000, args = [] }: ClusterOptions): Promise<Node> {
  const bus = String(await freePort())
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    bus,
    '--cluster-node-timeout',
    String(nodeTimeout),
  ]
  return { server: await startRedis({ args: [...cluster, ...args] }), bus }
}

/** What `redis-cli --cluster create` does, without its pauses. */
async function join(nodes: readonly Node[], masters: number): Promise<void> {
  const first = nodes[0]!.server.control
  for (const [index, { server, bus }] of nodes.entries()) {
    await server.control.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    if (index < masters) {
      const [from, until] = [index, index + 1].map((part) => Math.floor((part * slots) / masters)) as [
        number,
        number,
      ]
      await server.control.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(until - 1))
    }
    if (index > 0) await first.command('CLUSTER', 'MEET', server.host, String(server.port), bus)
  }
  for (const [index, { server }] of nodes.slice(masters).entries()) {
    const id = String(await nodes[index]!.server.control.command('CLUSTER', 'MYID'))
    // It has to hear of its master first.
    await eventually(() => server.control.command('CLUSTER', 'REPLICATE', id), { within: 10_000 })
  }
}

async function isWell({ control }: RedisServer, nodes: number): Promise<void> {
  await eventually(
    async () => {
      const info = String(await control.command('CLUSTER', 'INFO'))
      const isKnown =
        info.includes(`cluster_known_nodes:${nodes}\r\n`) && info.includes(`cluster_slots_ok:${slots}\r\n`)
      if (!isKnown || !info.includes('cluster_state:ok')) throw new Error(info)
      const replication = String(await control.command('INFO', 'replication'))
      if (replication.includes('master_link_status:down')) throw new Error(replication)
    },
    { within: 15_000 },
  )
}
