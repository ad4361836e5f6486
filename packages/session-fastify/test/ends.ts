import fastify from 'fastify'
import { session } from '../src/index.ts'
import { secret } from './site.ts'

const [redis, mode] = process.argv.slice(2) as [string, string]
const app = fastify()
app.register(session, {
  secret: mode === 'short secret' ? 'short' : secret,
  redis,
  logger: false,
  ...(mode === 'negative ttl' && { ttl: -1 }),
})
app.get('/', async (request) => ({ id: request.session.sessionId }))
if (mode === 'served') {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  await (await fetch(url)).text()
} else {
  await Promise.resolve(app.ready()).catch(() => undefined)
}
await app.close()
console.log(mode)
