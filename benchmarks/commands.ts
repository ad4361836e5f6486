import type { RedisServer } from '@holdfast-internal/test-fixtures'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Counts the commands that clients send to Redis during an action, as MONITOR shows them. What a script does inside Redis
 * is no command of a client: it costs no round trip and is not billed.
 */
export async function countCommands(redis: RedisServer, action: () => Promise<void>): Promise<number> {
  const end = randomUUID()
  const finished = Promise.withResolvers<void>()
  let count = 0
  let rest = ''
  const monitor = connect({ port: redis.port, host: redis.host }).setEncoding('latin1')
  monitor.on('error', finished.reject)
  monitor.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (line.includes(end)) return finished.resolve()
      if (/^\+\d+\.\d+ \[\d+ (?!lua)/.test(line)) count++
    }
  })
  monitor.write('MONITOR\r\n')
  await once(monitor, 'data')

  await action()
  await redis.control.command('ECHO', end)
  await finished.promise
  monitor.destroy()
  return count
}
