import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { createDemo } from './app.ts'
import { findDemoRedis } from './demo-redis.ts'

const { PORT, HOST = '127.0.0.1', SESSION_SECRET = randomBytes(32).toString('hex') } = process.env

const redis = await findDemoRedis(process.env)
const { app, auth } = createDemo(redis, SESSION_SECRET)
const server = await listen(Number(PORT ?? 3000))
console.log(`Sessions are kept in ${redis.description}.`)
console.log(`Holdfast demo: http://${HOST === '127.0.0.1' ? 'localhost' : HOST}:${portOf(server)}`)
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())

/** Listens on a port, or on the next free one unless it was asked for by name. */
function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const listening = app.listen(port, HOST, (error?: NodeJS.ErrnoException) => {
      if (!error) resolve(listening)
      else if (error.code === 'EADDRINUSE' && PORT === undefined) resolve(listen(port + 1))
      else reject(error)
    })
  })
}

function portOf(listening: Server): number {
  const address = listening.address()
  return typeof address === 'object' && address ? address.port : 0
}

async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
  await auth.close()
  await redis.stop()
}
