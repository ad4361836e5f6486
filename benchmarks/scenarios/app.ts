import type { State } from '@holdfast/core'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Message } from './process.ts'

export const frameworks = ['express', 'fastify'] as const
export type Framework = (typeof frameworks)[number]

export interface AppOptions {
  readonly name: string
  readonly framework: Framework
  readonly redis: string
  readonly secrets: readonly string[]
}

/** One server process. */
export interface App {
  readonly name: string
  /** Another one after each start. */
  readonly port: number
  state(): Promise<State>
  /** Ends it with SIGKILL: it has no time to save anything. */
  kill(): Promise<void>
  /** Kills it and starts it again, with other secrets if some are given. */
  restart(secrets?: readonly string[]): Promise<void>
}

/** Starts a server process, and resolves once it listens. */
export async function startApp({ name, framework, redis, secrets: first }: AppOptions): Promise<App> {
  let child: ChildProcess | undefined
  let port = 0

  async function start(secrets = first): Promise<void> {
    const env = {
      ...process.env,
      REDIS_URL: redis,
      SECRETS: JSON.stringify(secrets),
      NODE_ENV: 'production',
    }
    child = fork(new URL(`app-${framework}.ts`, import.meta.url), {
      env,
      execArgv: ['--conditions=@holdfast/source'],
    })
    const message = await heard(child)
    if (!('port' in message)) throw new Error(`${name} did not tell its port`)
    port = message.port
  }

  async function kill(): Promise<void> {
    const ended = child?.exitCode === null && child.signalCode === null && once(child, 'exit')
    child?.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    name,
    get port() {
      return port
    },
    async state() {
      if (!child) throw new Error(`${name} is not there`)
      child.send({ ask: 'state' })
      const message = await heard(child)
      if ('state' in message) return message.state
      throw new Error(`${name} did not tell its state`)
    },
    kill,
    async restart(secrets) {
      await kill()
      await start(secrets)
    },
  }
}

/** The next message of a process; rejects if it ends instead. */
async function heard(child: ChildProcess): Promise<Message> {
  const over = new AbortController()
  const { signal } = over
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a server process ended by itself (${String(code)})`)
  })
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [Message]
    return message
  } finally {
    ended.catch(() => undefined)
    over.abort()
  }
}
