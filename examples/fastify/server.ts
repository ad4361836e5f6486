import { randomBytes } from 'node:crypto'
import { createApp } from './app.ts'

const { PORT = '3000', HOST = '127.0.0.1' } = process.env
const { REDIS_URL, SESSION_SECRET = randomBytes(32).toString('hex') } = process.env

const app = createApp({ secret: SESSION_SECRET, redis: REDIS_URL?.trim() || 'memory' })
const url = await app.listen({ port: Number(PORT), host: HOST })
console.log(
  `Sessions are kept in ${REDIS_URL ? 'the Redis of REDIS_URL' : 'memory, as there is no REDIS_URL'}.`,
)
console.log(`Holdfast on Fastify: ${url}`)
process.once('SIGINT', () => void app.close())
process.once('SIGTERM', () => void app.close())
