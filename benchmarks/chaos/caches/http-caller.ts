// Asks an application over HTTP, and does nothing else: what it takes for that is not to be counted as the application's.
import { Agent, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { createDatabase, type Value } from './database.ts'
import { createLoad } from './load.ts'
import { obeyOrders, tell } from './under-load.ts'

/** What an application answers with: Nest sends no body for `undefined`. */
export interface Answer {
  readonly value: Value | undefined
}

const agent = new Agent({ keepAlive: true })

function ask(path: string): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const asked = get({ agent, port: process.env.PORT, host: '127.0.0.1', path: `/${path}` }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve((JSON.parse(body) as Answer).value)
        else reject(new Error(`answered ${response.statusCode}`))
      }, reject)
    })
    asked.on('error', reject)
  })
}

/** Holds no values; it is told what changes, to know what is stale. */
const database = createDatabase()
const load = createLoad(
  {
    get: (key) => ask(`values/${encodeURIComponent(key)}`),
    getOrSet: async (key, ttl) => (await ask(`made/${encodeURIComponent(key)}?ttl=${ttl}`))!,
  },
  database,
  { from: 'sent' },
)
obeyOrders(async (order) => {
  switch (order.do) {
    case 'run':
      load.run(order.rate)
      break
    case 'sweep':
      await load.sweep()
      break
    case 'note':
      database.change(order.key)
      break
    case 'stop':
      return { samples: await load.stop(), factories: database.reads() }
    default:
      throw new Error(`"${order.do}" is not for who only asks`)
  }
  return undefined
})
tell({ type: 'ready' })
