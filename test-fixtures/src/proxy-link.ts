import { connect, type Socket } from 'node:net'
import { createLane, type Lane, type Weather } from './lane.ts'

/** What a proxy does with all of its connections at present. */
export interface Conditions extends Weather {
  isBlackhole: boolean
  isHolding: boolean
}

/** A client's connection through a proxy, and the proxy's own to the server. */
export interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly toServer: Lane
  readonly toClient: Lane
  /** Something of it fell into a blackhole, so that it must never go on. */
  isSwallowed: boolean
}

/** Joins a client to the server. What either side sent before it went is still delivered to the other. */
export function createLink(
  client: Socket,
  target: { port: number; host: string },
  conditions: Conditions,
): Link {
  const server = connect({ ...target, allowHalfOpen: true, noDelay: true })
  const link: Link = {
    client,
    server,
    toServer: createLane(server, conditions, () => conditions.isHolding),
    toClient: createLane(client, conditions),
    isSwallowed: conditions.isBlackhole,
  }
  /** Nothing crosses a blackhole, not even the news that the other side has gone. */
  const unlessSwallowed = (action: () => void): void => {
    link.isSwallowed ||= conditions.isBlackhole
    if (!link.isSwallowed) action()
  }
  client.on('data', (chunk) => unlessSwallowed(() => link.toServer.write(chunk)))
  server.on('data', (chunk) => unlessSwallowed(() => link.toClient.write(chunk)))
  client.on('error', () => undefined)
  server.on('error', () => unlessSwallowed(() => client.resetAndDestroy()))
  client.on('end', () => unlessSwallowed(() => link.toServer.end()))
  server.on('end', () => unlessSwallowed(() => link.toClient.end()))
  client.on('close', () => unlessSwallowed(() => link.toServer.end()))
  server.on('close', () => unlessSwallowed(() => link.toClient.end()))
  return link
}

/** Resets a connection on both sides; what is under way is lost. */
export function resetLink({ client, server, toServer, toClient }: Link): void {
  toServer.clear()
  toClient.clear()
  client.resetAndDestroy()
  server.destroy()
}
