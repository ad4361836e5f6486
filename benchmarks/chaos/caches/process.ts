import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Message, Order, Outcome } from './under-load.ts'

/** The applications under test: each is a file `app-<name>.ts`, of which a process is forked. */
export const applications = ['loop', 'nest'] as const

/** Those, and what they are compared with. */
export type ApplicationName = (typeof applications)[number] | 'cacheable'

export interface ApplicationOptions {
  readonly name: ApplicationName
  readonly client: 'ioredis' | 'node-redis'
  readonly url: string
  /** Whether its cache keeps values in its process as well. */
  readonly near: boolean
}

/** An application in a process of its own. */
export interface ApplicationProcess {
  /** All that it told so far. */
  readonly messages: readonly Message[]
  /** Resolves once it was done. */
  order(order: Order): Promise<void>
  /** Ends the load, and gives what came of it. */
  stop(): Promise<Outcome>
  /** Ends the process. */
  kill(): void
}

/** Starts an application; resolves once it can be asked. */
export async function startApplication(options: ApplicationOptions): Promise<ApplicationProcess> {
  const { name, client, url, near } = options
  const env = {
    ...process.env,
    CLIENT: client,
    URL: url,
    NEAR: near ? 'yes' : 'no',
    NODE_ENV: 'production',
  }
  const child = fork(new URL(`app-${name}.ts`, import.meta.url), {
    env,
    execArgv: ['--conditions=@holdfast/source'],
  })
  const messages: Message[] = []
  const waiting = new Map<number, (outcome: Outcome | undefined) => void>()
  let orders = 0
  child.on('message', (message: Message) => {
    messages.push(message)
    if (message.type === 'done') waiting.get(message.number)?.(message.outcome)
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the application ${name} ended by itself (${String(code)})`)
  })
  ended.catch(() => undefined)

  async function ask(order: Order): Promise<Outcome | undefined> {
    const number = ++orders
    const done = new Promise<Outcome | undefined>((resolve) => waiting.set(number, resolve))
    child.send({ number, order })
    const outcome = await Promise.race([done, ended])
    waiting.delete(number)
    return outcome
  }

  while (!messages.some(({ type }) => type === 'ready')) await Promise.race([once(child, 'message'), ended])
  return {
    messages,
    order: async (order) => void (await ask(order)),
    stop: async () => (await ask({ do: 'stop' }))!,
    kill: () => child.kill('SIGKILL'),
  }
}
