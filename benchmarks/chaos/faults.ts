import type { Proxy, RedisServer } from '@holdfast-internal/test-fixtures'
import { eventually } from '@holdfast-internal/test-fixtures'

/** What a fault has to work with. Control goes over a raw connection, never over a client under test. */
export interface Site {
  readonly redis: RedisServer
  readonly proxy: Proxy
}

/** A way in which Redis goes wrong, and is put right again. */
export interface Fault {
  readonly name: string
  /** The application is started while the fault is there already. */
  readonly atStart?: true
  /** Redis comes back without its data, so sessions may be lost. */
  readonly losesData?: true
  /** How far away Redis is before and after it: how long a round trip takes, in ms. */
  readonly distance?: number
  /** Readies Redis for it while all is still well. */
  prepare?(site: Site): Promise<void>
  break(site: Site, seconds: number): Promise<void>
  repair(site: Site): Promise<void>
}

export const password = 'first'
/** How often a request or a call asks Redis, one time after the other. */
const mostTrips = 4

export const faults: readonly Fault[] = [
  {
    name: 'refused at start',
    atStart: true,
    break: ({ proxy }) => proxy.refuse(),
    repair: ({ proxy }) => proxy.restore(),
  },
  {
    name: 'kill -9',
    break: ({ redis }) => redis.kill({ keepData: true }),
    repair: ({ redis }) => redis.restart(),
  },
  { name: 'SIGSTOP', break: async ({ redis }) => redis.freeze(), repair: async ({ redis }) => redis.thaw() },
  { name: 'cut', break: ({ proxy }) => proxy.refuse(), repair: ({ proxy }) => proxy.restore() },
  cutFarAway(20),
  {
    name: '2 s latency',
    break: async ({ proxy }) => proxy.delay(1_000),
    repair: ({ proxy }) => proxy.restore(),
  },
  {
    name: 'restarted empty',
    losesData: true,
    break: ({ redis }) => redis.kill(),
    repair: ({ redis }) => redis.restart({ empty: true }),
  },
  { name: 'OOM, noeviction', ...setting('maxmemory', '1', '0') },
  {
    name: 'READONLY replica',
    break: ({ redis }) => command(redis, 'REPLICAOF', '127.0.0.1', '1'),
    repair: ({ redis }) => command(redis, 'REPLICAOF', 'NO', 'ONE'),
  },
  { name: 'LOADING', prepare: populate, break: startLoading, repair: waitForLoading },
  {
    name: 'WRONGPASS after start',
    async break({ redis }) {
      await command(redis, 'CONFIG', 'SET', 'requirepass', 'second')
      await killClients(redis)
    },
    repair: ({ redis }) => command(redis, 'CONFIG', 'SET', 'requirepass', password),
  },
  { name: 'CLIENT KILL of everything', ...repeatedly(({ redis }) => killClients(redis), 100) },
  {
    name: 'maxclients',
    async break({ redis }) {
      await command(redis, 'CONFIG', 'SET', 'maxclients', '1')
      await killClients(redis)
    },
    repair: ({ redis }) => command(redis, 'CONFIG', 'SET', 'maxclients', '10000'),
  },
]

/** What is decided while Redis is settled with comes quicker than its answers. */
function cutFarAway(distance: number): Fault {
  return {
    name: `cut, ${distance} ms away`,
    distance,
    prepare: async ({ proxy }) => proxy.delay(distance / 2),
    break: ({ proxy }) => proxy.refuse(),
    async repair({ proxy }) {
      await proxy.restore()
      proxy.delay(distance / 2)
    },
  }
}

/** How much longer an answer may take for the distance alone, in ms. */
export function timeOnTheWay(name: string): number {
  const { distance = 0 } = faults.find((fault) => fault.name === name) ?? {}
  return distance * mostTrips
}

function setting(name: string, broken: string, well: string): Pick<Fault, 'break' | 'repair'> {
  return {
    break: ({ redis }) => command(redis, 'CONFIG', 'SET', name, broken),
    repair: ({ redis }) => command(redis, 'CONFIG', 'SET', name, well),
  }
}

/** Rows may run beside each other, so each site has a timer of its own; it ends with the server if nobody repairs it. */
function repeatedly(action: (site: Site) => Promise<void>, every: number): Pick<Fault, 'break' | 'repair'> {
  const timers = new WeakMap<Site, NodeJS.Timeout>()
  return {
    async break(site) {
      const timer = setInterval(() => {
        if (!site.redis.running) return clearInterval(timer)
        action(site).catch(() => {})
      }, every)
      timers.set(site, timer)
    },
    async repair(site) {
      clearInterval(timers.get(site))
    },
  }
}

const slowKeys = 2_000

/** Of 100 bytes each: while Redis loads, it answers once per kilobyte read. */
function populate({ redis }: Site): Promise<void> {
  return command(redis, 'DEBUG', 'POPULATE', String(slowKeys), 'slow', '100')
}

/** Restarts with a delay per key, so that loading the data takes as long as the fault should. */
async function startLoading({ redis }: Site, seconds: number): Promise<void> {
  await redis.kill({ keepData: true })
  const delay = Math.round((seconds * 1e6) / slowKeys)
  await redis.restart({
    args: ['--key-load-delay', String(delay), '--loading-process-events-interval-bytes', '1024'],
  })
}

function waitForLoading({ redis }: Site): Promise<void> {
  return eventually(async () => void (await redis.control.command('GET', 'x')), { within: 30_000 })
}

async function killClients(redis: RedisServer): Promise<void> {
  await command(redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
}

async function command(redis: RedisServer, ...args: string[]): Promise<void> {
  await redis.control.command(...args)
}
