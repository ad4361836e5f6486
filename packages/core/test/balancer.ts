import { freePort, type RedisServer } from '@holdfast-internal/test-fixtures'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { onTestFinished } from 'vitest'
import type { RedisSource } from '../src/backend/redis/connect.ts'

/** Stands for a name or a balancer: leads new connections to one server, and leaves those there are where they are. */
export interface Balancer {
  readonly port: number
  readonly url: string
  /** How many connections were ever made. */
  readonly accepted: number
  /** How many there are now. */
  readonly open: number
  leadTo(server: RedisServer): void
}

/** What an application may give of the Redis that a balancer leads to. */
export const sources: Record<string, (balancer: Balancer) => RedisSource> = {
  'a URL': ({ url }) => url,
  'a client of ioredis': ({ port }) => {
    const app = new Redis(port)
    app.on('error', () => undefined)
    onTestFinished(() => app.disconnect())
    return app
  },
  'a client of node-redis': ({ url }) => createClient({ url }),
}

export async function startBalancer(first: RedisServer): Promise<Balancer> {
  let target = first
  let accepted = 0
  let open = 0
  const sockets = new Set<Socket>()
  const port = await freePort()
  const listener = createServer((client) => {
    accepted++
    open++
    client.on('close', () => open--)
    const server = connect({ host: target.host, port: target.port, noDelay: true })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  }).listen(port, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => {
    listener.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get accepted() {
      return accepted
    },
    get open() {
      return open
    },
    leadTo: (server) => void (target = server),
  }
}

/** Ends the connections that commands are sent on, and leaves those that listen. */
export async function endCommands({ control }: RedisServer): Promise<void> {
  await control.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
}
