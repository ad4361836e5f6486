import type { Holdfast, HoldfastOptions } from '@holdfast/core'
import { flushCompileCache } from 'node:module'
import { connectNodeRedis } from '../node-redis.ts'
import type { Telling } from '../telling.ts'
import { createDatabase, type Database, type Read, type Value } from './database.ts'
import { createLoad, seededKeys, seededTtl, type Load, type Sample, type Subject } from './load.ts'

/** What an application is made of, in a process of its own. */
export interface Ground {
  /** To be given to Holdfast, connected by the client that is asked for. */
  readonly options: () => Promise<Pick<HoldfastOptions, 'redis' | 'logger'>>
  readonly url: string
  readonly log: (line: string) => void
  /** Whether the cache keeps values in this process as well. */
  readonly near: boolean
  readonly database: Database
}

/** An application, ready to be asked. */
export interface Application extends Subject {
  /** Where it is asked by others, over HTTP. Left out: it is asked from within. */
  readonly port?: number
  /** What tells of transitions; left out where there is nothing of the kind. */
  readonly holdfast?: Holdfast
  /** The cache in it, by which it removes and writes what has changed. */
  readonly cache: {
    set(
      key: string,
      value: Value,
      life: { readonly ttl: number; readonly tags: readonly string[] },
    ): Promise<unknown>
    delete(key: string): Promise<unknown>
    deleteByTag(tag: string): Promise<unknown>
  }
}

/** What the one who watches wants done; each is answered by `done` with its number. */
export type Order =
  | { readonly do: 'seed' }
  | { readonly do: 'run'; readonly rate: number }
  | { readonly do: 'crowd'; readonly size: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'stop' }
  /** The database has another value now, by whomever. */
  | { readonly do: 'note'; readonly key: string }
  /** This process changed it, and tells the cache in one of three ways. */
  | { readonly do: 'set' | 'delete' | 'deleteByTag'; readonly key: string }

/** What came of the load since it was last stopped, and of the factories. */
export interface Outcome {
  readonly samples: readonly Sample[]
  readonly factories: readonly Read[]
}

export type Message =
  | Telling
  | { readonly type: 'ready'; readonly port?: number | undefined }
  | { readonly type: 'done'; readonly number: number; readonly outcome: Outcome | undefined }

/** Does what the parent process orders, and tells it when that is done, or that something was not caught. */
export function obeyOrders(obey: (order: Order) => Promise<Outcome | undefined>): void {
  process.on('uncaughtException', (error) => tell({ type: 'uncaught', error: String(error) }))
  process.on('unhandledRejection', (error) => tell({ type: 'uncaught', error: String(error) }))
  process.on('disconnect', () => process.exit())
  process.on('message', ({ number, order }: { number: number; order: Order }) => {
    void obey(order).then(
      (outcome) => tell({ type: 'done', number, outcome }),
      (error: unknown) => tell({ type: 'uncaught', error: String(error) }),
    )
  })
}

export function tell(message: Message): void {
  process.send?.(message)
}

/** Runs an application in this process, does what the parent process orders, and tells it what happens. */
export async function runUnderLoad(open: (ground: Ground) => Promise<Application>): Promise<void> {
  const { CLIENT: client, URL: url = '', NEAR: near } = process.env
  const log = (line: string): void => tell({ type: 'log', line })
  obeyOrders(obey)

  const database = createDatabase()
  const application = await open({
    url,
    log,
    near: near === 'yes',
    database,
    async options() {
      const redis = client === 'node-redis' ? await connectNodeRedis(url, () => {}) : url
      return { redis, logger: { info: log, warn: log, error: log } }
    },
  })
  application.holdfast?.on('transition', ({ to }) => tell({ type: 'transition', to, at: Date.now() }))
  await application.holdfast?.ready()
  const load = createLoad(application, database)
  tell({ type: 'ready', port: application.port })
  // For the next start: it is killed before it could do so at its end.
  flushCompileCache()

  async function obey(order: Order): Promise<Outcome | undefined> {
    if (order.do === 'stop') return { samples: await load.stop(), factories: database.reads() }
    await done(order, application.cache, load, database)
    return undefined
  }
}

function done(
  order: Exclude<Order, { do: 'stop' }>,
  cache: Application['cache'],
  load: Load,
  database: Database,
): unknown {
  switch (order.do) {
    case 'seed':
      return Promise.all(seededKeys.map((key) => cache.set(key, database.now(key), lifeOf(key))))
    case 'run':
      return load.run(order.rate)
    case 'crowd':
      return load.crowd(order.size)
    case 'sweep':
      return load.sweep()
    case 'note':
      return database.change(order.key)
    case 'set':
      return cache.set(order.key, database.now(order.key), lifeOf(order.key))
    case 'delete':
      return cache.delete(order.key)
    case 'deleteByTag':
      return cache.deleteByTag(tagOf(order.key))
  }
}

function lifeOf(key: string): { readonly ttl: number; readonly tags: readonly string[] } {
  return { ttl: seededTtl, tags: [tagOf(key)] }
}

/** A tag is of one key here, and has its name. */
function tagOf(key: string): string {
  return key
}
