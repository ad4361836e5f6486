import { createClient } from 'redis'

function create(url: string) {
  return createClient({ url })
}

/** Connects node-redis as an application would, with the `error` listener without which the process would end. */
export async function connectNodeRedis(
  url: string,
  onError: (error: Error) => void,
): Promise<ReturnType<typeof create>> {
  const client = create(url)
  client.on('error', onError)
  const connecting = client.connect()
  // Where Redis is not there at start, the application goes on without it.
  await Promise.race([connecting.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 500))])
  return client
}
